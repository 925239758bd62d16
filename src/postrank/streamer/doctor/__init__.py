"""The checks of `postrank doctor`."""
