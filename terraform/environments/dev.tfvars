environment     = "dev"
release         = "0.1.0"
streamer_config = "environments/streamer.toml"
shards          = 1
raw_days        = 7
protected       = false
daily_scan_gib  = 100
monthly_usd     = 150
