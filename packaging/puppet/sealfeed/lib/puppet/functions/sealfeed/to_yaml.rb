# frozen_string_literal: true

require 'yaml'

# A hash as the text of a YAML file.
Puppet::Functions.create_function(:'sealfeed::to_yaml') do
  # @param data what is to stand in the file
  # @return its text
  dispatch :to_yaml do
    param 'Hash', :data
    return_type 'String'
  end

  def to_yaml(data)
    YAML.dump(data)
  end
end
