# @summary The package.
# @api private
class sealfeed::install {
  package { 'sealfeed':
    ensure => $sealfeed::package_ensure,
    source => $sealfeed::package_source,
  }
}
