"""Connections to Kafka, for the source and the sink alike: options, authentication, and what errors mean."""
