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
  },
  secrets        => {
    'contoso.secret' => Sensitive('@SECRET@'),
    'ca.pem'         => Sensitive(file('/srv/ca.pem')),
  },
}
