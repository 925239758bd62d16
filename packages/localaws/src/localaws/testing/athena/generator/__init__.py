"""Statements made at random from a typed grammar, the same ones for the same seed."""

from localaws.testing.athena.generator.statements import statements

__all__ = ["statements"]
