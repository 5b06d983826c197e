# @summary The service; it is reloaded when its configuration changes.
# @api private
class sealfeed::service {
  if $sealfeed::service {
    service { 'sealfeed':
      ensure  => running,
      enable  => true,
      restart => '/bin/systemctl reload sealfeed',
    }
  }
}
