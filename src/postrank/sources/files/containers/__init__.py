"""Containers of documents: compression, archives and encodings, each a stream of pieces."""
