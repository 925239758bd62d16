"""Upkeep of the lake: compaction, retention, costs, redaction."""
