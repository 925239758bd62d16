"""Counts of posts per author and 60 seconds of event time, while they stream."""
