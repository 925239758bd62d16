"""The grammar of Athena's queries: exactly Trino's, read into a tree whose nodes know their line and column."""
