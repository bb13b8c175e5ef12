"""The console program `karez`. Parses words and prints answers; what it does is done by the rooms' services and
queries.

Exit codes: 0 fine; 1 the answer is no (a refusal, a figure that disagrees, an identity that fails); 2 unusable input.
"""

from karez.cli.program import main

__all__ = ["main"]
