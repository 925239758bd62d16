"""`python -m localaws`: the same as the `localaws` command."""

from localaws.cli import main

main()
