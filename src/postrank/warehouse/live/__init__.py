"""Live windows: the second stream in the warehouse, seconds after the posts."""
