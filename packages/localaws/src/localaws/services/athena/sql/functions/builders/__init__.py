"""Functions whose engine text depends on more than their arguments' text."""
