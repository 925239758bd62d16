"""Connections of tasks: AWS clients, alerts, X, SQL templates."""
