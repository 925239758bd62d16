"""S3: objects of our own on disk; buckets' configuration is the emulator's."""
