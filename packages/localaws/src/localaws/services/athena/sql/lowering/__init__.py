"""A checked query in DuckDB's SQL: every expression gets Trino's type and the engine's text at once."""
