"""Commands that begin, check and publish configurations, and obtain tokens for them."""
