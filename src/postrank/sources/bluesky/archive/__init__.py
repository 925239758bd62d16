"""Bluesky's past: what Jetstream's archive and the authors' repositories hold of a span that is over."""
