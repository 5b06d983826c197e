# @summary Install, configure and run sealfeed.
#
# @param config the main file, as in sealfeed.yaml(5)
# @param dropins files of conf.d by their names without ".yaml"
# @param purge_dropins whether other files of conf.d are removed
# @param definitions files of sources.d by their names without ".yaml": their
#   text, as file('profile/acme.yaml') gives it, or a hash; each is a type of source
# @param purge_definitions whether other files of sources.d are removed
# @param secrets files below /etc/sealfeed by their names; the configuration
#   refers to them as ${file:/etc/sealfeed/NAME}
# @param agent_name the agent's name, which must not change during the life of
#   a store
# @param key the signing key, made on the host if it is not there
# @param package_ensure of the package
# @param package_source a deb or rpm on the host; undef: from a repository
# @param service whether the service is enabled and runs
class sealfeed (
  Sealfeed::Config $config = {},
  Hash[Sealfeed::Name, Sealfeed::Config] $dropins = {},
  Boolean $purge_dropins = false,
  Hash[Sealfeed::Name, Variant[String[1], Hash[String, Data]]] $definitions = {},
  Boolean $purge_definitions = false,
  Hash[Sealfeed::Name, Sensitive[String[1]]] $secrets = {},
  Sealfeed::Name $agent_name = $facts['networking']['hostname'],
  Pattern[/\A\/[^\0]+\z/] $key = '/etc/sealfeed/seal.pem',
  String[1] $package_ensure = 'installed',
  Optional[String[1]] $package_source = undef,
  Boolean $service = true,
) {
  contain sealfeed::install
  contain sealfeed::config
  contain sealfeed::service

  Class['sealfeed::install']
  -> Class['sealfeed::config']
  ~> Class['sealfeed::service']
}
