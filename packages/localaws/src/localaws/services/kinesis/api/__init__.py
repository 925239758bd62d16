"""The calls of Kinesis, grouped as the API reference groups them."""
