"""Ranked authors as batches make them: what to ingest and rank, pointing the lake at it, exporting it, reading the
export.
"""
