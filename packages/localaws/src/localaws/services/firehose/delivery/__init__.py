"""From buffered records to objects in S3."""
