# A file of the configuration, as in sealfeed.yaml(5).
type Sealfeed::Config = Struct[{
  Optional['agent']   => Hash[String, Data],
  Optional['sources'] => Hash[String, Hash[String, Data]],
  Optional['outputs'] => Hash[String, Hash[String, Data]],
}]
