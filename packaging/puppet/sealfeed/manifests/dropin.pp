# @summary A file of conf.d, which is checked together with the others.
#
# Drop-ins of other modules are declared so, too.
#
# @param config what it says, as in sealfeed.yaml(5)
# @param ensure whether it is there
define sealfeed::dropin (
  Sealfeed::Config $config = {},
  Enum['present', 'absent'] $ensure = 'present',
) {
  file { "/etc/sealfeed/conf.d/${title}.yaml":
    ensure       => $ensure,
    owner        => 'root',
    group        => 'sealfeed',
    mode         => '0640',
    content      => epp('sealfeed/config.yaml.epp', { 'config' => $config }),
    validate_cmd => "/usr/bin/sealfeed check --as conf.d/${title}.yaml %",
    require      => File['/etc/sealfeed/sealfeed.yaml'],
    notify       => Class['sealfeed::service'],
  }
}
