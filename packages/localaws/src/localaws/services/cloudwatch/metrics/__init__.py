"""Metrics: samples, statistics, queries, and how services publish them."""
