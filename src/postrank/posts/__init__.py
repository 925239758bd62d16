"""Posts as every part of Postrank knows them, and the ways into and out of that form."""

from postrank.posts.events import Event, Ignored, Like, Log, Malformed, Metrics, Notice, Post, Reject, Tombstone

__all__ = ["Event", "Ignored", "Like", "Log", "Malformed", "Metrics", "Notice", "Post", "Reject", "Tombstone"]
