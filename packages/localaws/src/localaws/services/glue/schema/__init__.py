"""Schemas found in files: formats, column types, tables."""
