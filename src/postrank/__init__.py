"""Postrank: public posts, ranked by who wrote most."""
