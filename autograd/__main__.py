"""``python -m autograd``: the command line."""

from .command.app import main

main()
