"""Crawlers: definitions, histories, log lines."""
