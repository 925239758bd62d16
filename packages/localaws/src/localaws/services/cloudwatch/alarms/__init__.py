"""Alarms: stored, evaluated, changed in state."""
