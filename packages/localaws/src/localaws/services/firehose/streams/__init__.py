"""Delivery streams and what is stored of them."""
