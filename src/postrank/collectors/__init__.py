"""Collectors: each reads one source with a state, a heartbeat and a host of its own; all write into one lake."""
