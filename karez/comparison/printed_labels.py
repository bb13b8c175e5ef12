"""The figures and places of the printed chapters that come along, in Chinese. Holds no numbers."""

import csv
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from karez.wording.numbers import CHINESE

LABELS = Path(__file__).parent / "data" / "labels-zh.csv"


def printed_label(chapter: str, figure: str) -> str:
    """What a figure of a printed chapter is called in Chinese; empty where nobody has said it."""
    return _words().get((chapter, figure), "")


def places_words(places: str, language: str) -> str:
    """The places a printed figure speaks of, named in the language as far as they are known."""
    if language != CHINESE:
        return places
    return "、".join(_words().get(("", f"place:{p.strip()}"), p.strip()) for p in places.split(";"))


@lru_cache(maxsize=1)
def _words() -> Mapping[tuple[str, str], str]:
    with LABELS.open(encoding="utf-8", newline="") as file:
        return {(row["chapter"], row["id"]): row["label_zh"] for row in csv.DictReader(file)}
