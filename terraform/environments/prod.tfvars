environment     = "prod"
release         = "0.1.0"
streamer_config = "environments/streamer.toml"
warehouse_class = "db.t4g.small"
state_gib       = 20
monthly_usd     = 600
