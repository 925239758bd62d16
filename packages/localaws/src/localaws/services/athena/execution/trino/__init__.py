"""Trino as Athena's engine: installed, started beside the server, and asked under the permissions of each caller."""
