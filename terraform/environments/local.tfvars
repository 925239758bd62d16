# For an apply against the local AWS. What production has beyond it: the warehouse, the budget, TLS.
environment     = "local"
release         = "0.1.0"
streamer_config = "environments/streamer.toml"
instance_tags   = { "localaws:units" = "postrank-streamer" }
protected       = false
require_tls     = false
