"""The calls of Firehose: configurations, direct puts, tags."""
