"""`python -m postrank`: the same as the `postrank` command."""

from postrank.cli import main

main()
