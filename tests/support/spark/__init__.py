"""The Spark job against the local AWS and a broker, and what the streamer counts of the same lines."""
