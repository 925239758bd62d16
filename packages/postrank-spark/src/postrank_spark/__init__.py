"""Windows of a Postrank stream, counted by Spark Structured Streaming: SQL files over Kafka or Kinesis."""
