"""Lowered values: their types, conversions, casts, operators and literals in the engine's text."""
