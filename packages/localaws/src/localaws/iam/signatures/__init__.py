"""Signatures of requests, versions 2 and 4."""
