"""Athena's SQL: parsed, and translated to DuckDB's."""
