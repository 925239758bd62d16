"""Deleted posts leave the lake: tables, raw zone, undelivered lines."""
