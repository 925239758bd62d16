"""The shapes that posts have outside Postrank, each recognised by all of its shape and read into an event."""
