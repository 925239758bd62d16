"""Streams, their shards and records, as they are stored and limited."""
