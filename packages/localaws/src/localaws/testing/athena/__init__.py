"""Statements with the rows that Athena returns, and a way to run them."""
