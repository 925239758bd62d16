"""Trino's type system: types, coercions, function signatures."""
