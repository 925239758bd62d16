"""Postrank on AWS: names, policies, clients, and what is asked of each service."""
