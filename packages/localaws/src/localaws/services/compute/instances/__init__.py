"""Instances as groups of local processes."""
