"""The keys of delivered objects: prefix expressions and time patterns."""
