"""`python -m desktop` is `hubshelf`."""

from desktop.cli import main

main()
