# puppet apply --modulepath packaging/puppet examples/init.pp
class { 'sealfeed':
  dropins => {
    '10-contoso' => {
      'sources' => {
        'contoso' => {
          'type'          => 'office365',
          'tenant'        => '0873ee4d-d342-44f2-8961-74c442a2fad2',
          'client_id'     => '6f9f0d1c-1d3c-4b6e-9d51-0a3b5c7d9e10',
          'client_secret' => '${file:/etc/sealfeed/contoso.secret}', # lint:ignore:single_quote_string_with_variables
        },
      },
    },
    '20-siem'    => {
      'outputs' => {
        'siem' => {
          'type'    => 'syslog',
          'address' => 'siem.example.com:6514',
        },
      },
    },
  },
  secrets => {
    'contoso.secret' => Sensitive(lookup('contoso_secret')),
  },
}
