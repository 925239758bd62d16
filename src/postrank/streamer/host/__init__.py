"""What a streamer uses of its host: systemd, instance identity, folder lock, memory."""
