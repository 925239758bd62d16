"""Deploying the streamer: a release is published, installed, tried, and taken back if it stays silent."""
