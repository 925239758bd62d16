"""Commands for the past: read it again, price it, get it out of the lake."""
