"""The functions of Athena's SQL: signatures, overloads, and the engine's text of each call."""
