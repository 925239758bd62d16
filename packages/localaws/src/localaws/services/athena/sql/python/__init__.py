"""Functions of Athena's SQL that DuckDB lacks or answers otherwise, in Python: one row at a time, never null in."""
