"""The public wire protocols: which call a request is, its parameters decoded, its answer encoded."""
