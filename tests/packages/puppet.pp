# The manifest of puppet.sh.
class { 'sealfeed':
  agent_name     => 'fra1',
  package_source => '/srv/sealfeed.deb',
  purge_dropins  => true,
  config         => {
    'agent' => {
      'store' => { 'min_free' => '16MiB' },
      'watch' => { 'listen' => '/run/sealfeed/watch' },
    },
  },
  dropins        => {
    '10-contoso' => {
      'sources' => {
        'contoso' => {
          'type'          => 'office365',
          'login_url'     => '@API@',
          'api_url'       => '@API@',
          'tenant'        => '@TENANT@',
          'client_id'     => '@CLIENT@',
          'client_secret' => '${file:/etc/sealfeed/contoso.secret}',
          'interval'      => '250ms',
          'tls'           => { 'ca' => '/etc/sealfeed/ca.pem' },
        },
      },
    },
    '20-siem'    => { 'outputs' => { @OUTPUTS@ } },
    '40-acme'    => {
      'sources' => {
        'acme' => { 'type' => 'acme', 'token' => '${file:/etc/sealfeed/acme.token}' },
      },
      'outputs' => {
        'splunk' => {
          'type'  => 'splunk-hec',
          'url'   => 'https://127.0.0.1:1',
          'token' => '${file:/etc/sealfeed/hec.token}',
        },
      },
    },
  },
  definitions    => { 'acme' => @ACME@ },
  purge_definitions => true,
  secrets        => {
    'acme.token'     => Sensitive('@SECRET@-2'),
    'hec.token'      => Sensitive('@SECRET@-3'),
    'contoso.secret' => Sensitive('@SECRET@'),
    'ca.pem'         => Sensitive(file('/srv/ca.pem')),
  },
}
