"""Operators of Postrank's own."""
