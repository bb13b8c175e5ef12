"""What the shell tells the rooms below it: how a text that was raised or noted in English reads in another language."""

from karez.web.said import said


def says(text: str, language: str, cell: bool = False) -> str:
    """The text in that language, as it is where nobody knows it; `cell` where it may be what somebody wrote in a file."""
    return said(text, language, cell=cell)
