"""Bundles: a collector's configuration with the files it names, published to the artifacts bucket for its host."""
