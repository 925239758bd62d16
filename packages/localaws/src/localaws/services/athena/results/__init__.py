"""Results of statements: formatted, written, read page by page."""
