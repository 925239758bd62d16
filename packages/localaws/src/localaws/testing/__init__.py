"""A running local AWS for tests, and helpers for tests against it."""
