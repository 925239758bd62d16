"""What X is asked for by request: posts by id, timelines, counts, compliance jobs."""
