"""`python -m karez` is the console program."""

from karez.cli import main

main()
