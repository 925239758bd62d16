"""The engine: source to sink, with spool, checkpoint and ledgers."""
