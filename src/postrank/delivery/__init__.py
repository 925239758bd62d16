"""Accounting from acknowledged records to lines in the lake."""
