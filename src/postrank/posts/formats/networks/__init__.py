"""Posts as other networks than X, and their tools, write them."""
