"""What a streamer reports: logs, metrics, heartbeat, status endpoint."""
