"""What the owner writes into the database of the declared rules, after each migration. Holds no rule."""

from karez.records import rules


def statements() -> list[str]:
    """SQL of the triggers of every table with rules."""
    return rules.statements()
