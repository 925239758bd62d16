"""Records as rows of a Glue table: converted to Parquet and ORC, or appended to Iceberg tables."""
