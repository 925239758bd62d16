"""One crawl: its targets, and what it may read and change."""
