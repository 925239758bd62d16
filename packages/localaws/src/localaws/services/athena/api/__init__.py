"""The calls of Athena, and what they store."""
