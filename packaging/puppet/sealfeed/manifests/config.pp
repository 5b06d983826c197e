# @summary Key, secrets and configuration.
# @api private
class sealfeed::config {
  $agent = { 'name' => $sealfeed::agent_name, 'key' => $sealfeed::key }
  $main = $sealfeed::config + {
    'agent' => $agent + $sealfeed::config.get('agent', {}),
  }

  File {
    owner => 'root',
    group => 'sealfeed',
    mode  => '0640',
  }

  file { '/etc/sealfeed/conf.d':
    ensure  => directory,
    mode    => '0750',
    recurse => $sealfeed::purge_dropins,
    purge   => $sealfeed::purge_dropins,
  }

  exec { 'sealfeed signing key':
    command => ['/usr/bin/sealfeed', 'keygen', $sealfeed::key, '--name', $sealfeed::agent_name],
    creates => $sealfeed::key,
  }
  -> file { $sealfeed::key:
    ensure => file,
  }

  file { '/etc/sealfeed/sources.d':
    ensure  => directory,
    mode    => '0750',
    recurse => $sealfeed::purge_definitions,
    purge   => $sealfeed::purge_definitions,
  }

  # Before the files whose sources are of these types.
  $sealfeed::definitions.each |$name, $content| {
    file { "/etc/sealfeed/sources.d/${name}.yaml":
      ensure       => file,
      content      => $content ? {
        String  => $content,
        default => sealfeed::to_yaml($content),
      },
      validate_cmd => "/usr/bin/sealfeed check --as sources.d/${name}.yaml %",
      before       => File['/etc/sealfeed/sealfeed.yaml'],
    }
  }

  # No copy of an old secret is kept.
  $sealfeed::secrets.each |$name, $value| {
    file { "/etc/sealfeed/${name}":
      ensure    => file,
      content   => $value,
      show_diff => false,
      backup    => false,
    }
  }

  file { '/etc/sealfeed/sealfeed.yaml':
    ensure       => file,
    content      => epp('sealfeed/config.yaml.epp', { 'config' => $main }),
    validate_cmd => '/usr/bin/sealfeed check --as sealfeed.yaml %',
  }

  $sealfeed::dropins.each |$name, $content| {
    sealfeed::dropin { $name:
      config => $content,
    }
  }
}
