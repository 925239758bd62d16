"""A local AWS on which a data pipeline really runs; it knows nothing of what flows through it."""
