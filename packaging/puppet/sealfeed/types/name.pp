# The name of a file below /etc/sealfeed; no path.
type Sealfeed::Name = Pattern[/\A[A-Za-z0-9_][A-Za-z0-9._-]*\z/]
