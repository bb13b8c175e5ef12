"""An edition as open data: CSV files and their descriptor (Data Package, version 2). No row finer than a county, no
person.
"""

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

from karez.chapter.compose import STATES
from karez.chapter.money import ALLOCATED, RECEIVED
from karez.kernel.printed import plain_number
from karez.publication.content import Content
from karez.publication.formats.publication import Files, Publication
from karez.wording.numbers import CHINESE, ENGLISH

SCHEMA = "https://datapackage.org/profiles/2.0/datapackage.json"


def open_data(publication: Publication) -> Files:
    """`data/datapackage.json` with `figures`, `places`, `values`, `errata`, `flow` and `capital` as CSV; all of them
    once more in `data.zip`.
    """
    content = publication.content
    tables = [
        _figures(content),
        _places(content),
        _values(content),
        _errata(publication),
        _flow(content),
        _capital(content),
    ]
    made = {f"data/{name}.csv": text(head, rows).encode() for name, _, head, rows in tables}
    resources = [_resource(name, schema, made[f"data/{name}.csv"]) for name, schema, _, _ in tables]
    made = {"data/datapackage.json": _json(_descriptor(publication, resources)), **made}
    return {**made, "data.zip": _packed(made, publication)}


def _packed(files: Files, publication: Publication) -> bytes:
    """The files as a ZIP: in the order of their names, each dated with the snapshot."""
    file, moment = io.BytesIO(), publication.moment
    day = (max(moment.year, 1980), moment.month, moment.day, moment.hour, moment.minute, moment.second)
    with zipfile.ZipFile(file, "w") as archive:
        for path, data in sorted(files.items()):
            member = zipfile.ZipInfo(path, day)
            member.compress_type, member.create_system, member.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
            archive.writestr(member, data)
    return file.getvalue()


def text(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Rows as CSV."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return file.getvalue()


def number(exact: str | None) -> str:
    """An exact value as decimal digits; a value without an end is cut to the nearest double. Empty where there is none."""
    if exact is None:
        return ""
    return format(plain_number(Fraction(exact)))


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


_Table = tuple[str, dict[str, Any], list[str], list[list[Any]]]


def _field(name: str, kind: str, title: str, **constraints: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, "title": title} | ({"constraints": constraints} if constraints else {})


def _figures(content: Content) -> _Table:
    fields = [
        _field("id", "string", "identifier", required=True, unique=True),
        _field("label", "string", "what it is"),
        _field("label_zh", "string", "what it is, in Chinese"),
        _field("unit", "string", "unit", required=True),
        _field("kind", "string", "stock, flow, ..."),
        _field("rounding", "number", "worth of the last printed digit"),
        _field("disclosure", "string", "whom it could speak of"),
        _field("definition", "string", "what is counted, or the formula"),
        _field("table", "string", "figure table it is counted from"),
        _field("where", "string", "which rows are counted"),
        _field("source", "string", "source"),
        _field("valid_from", "integer", "first year of this definition"),
        _field("valid_before", "integer", "first year it no longer holds"),
    ]
    rows = [
        [
            f["id"],
            f["label"],
            f["label_zh"],
            f["unit"],
            f["kind"],
            f["rounding"],
            f["disclosure"],
            f.get("formula") or f.get("value"),
            f.get("table", ""),
            f.get("where", ""),
            f["source"],
            f["valid_from"],
            "" if f["valid_before"] is None else f["valid_before"],
        ]
        for f in content.figures.values()
    ]
    return "figures", {"fields": fields, "primaryKey": ["id"], "missingValues": [""]}, [f["name"] for f in fields], rows


def _places(content: Content) -> _Table:
    fields = [
        _field("code", "string", "code in the year's edition", required=True, unique=True),
        _field("level", "string", "level", enum=["region", "prefecture", "county"]),
        _field("name_en", "string", "name, romanised"),
        _field("name_zh", "string", "name"),
        _field("parent", "string", "code of the place above"),
    ]
    rows = [[p["code"], p["level"], p["name_en"], p["name_zh"], p["parent"]] for p in content.said["places"]]
    return (
        "places",
        {"fields": fields, "primaryKey": ["code"], "missingValues": [""]},
        [f["name"] for f in fields],
        rows,
    )


def _values(content: Content) -> _Table:
    fields = [
        _field("figure", "string", "figure", required=True),
        _field("place", "string", "code of the place", required=True),
        _field("year", "integer", "year", required=True),
        _field("as_of", "date", "state of"),
        _field("value", "number", "value in the figure's unit"),
        _field(
            "state",
            "string",
            (
                "why there is no value: missing, not collected, undefined (it could not be computed), or suppressed "
                "(withheld, so that nothing follows about few people)"
            ),
            enum=list(STATES),
        ),
    ]
    keys = [
        {"fields": ["figure"], "reference": {"resource": "figures", "fields": ["id"]}},
        {"fields": ["place"], "reference": {"resource": "places", "fields": ["code"]}},
    ]
    year, day = content.said["year"], content.said["snapshot"]["as_of"]
    rows = [[i, code, year, day, number(exact), state] for (i, code), (exact, state) in content.cells.items()]
    schema = {"fields": fields, "primaryKey": ["figure", "place"], "foreignKeys": keys, "missingValues": [""]}
    return "values", schema, [f["name"] for f in fields], rows


def _errata(publication: Publication) -> _Table:
    fields = [
        _field("figure", "string", "figure", required=True),
        _field("place", "string", "code of the place", required=True),
        _field("printed", "number", "printed value"),
        _field("corrected", "number", "right value"),
        _field("reason", "string", "why"),
        _field("names", "string", "who added and who approved it"),
        _field("day", "date", "day of approval"),
    ]
    rows = [
        [e.figure, e.place, number(e.printed), number(e.corrected), e.reason, "; ".join(e.names), e.day]
        for e in publication.errata
    ]
    return "errata", {"fields": fields, "missingValues": [""]}, [f["name"] for f in fields], rows


def _flow(content: Content) -> _Table:
    """What was received on each source line, at the region, and what each county got of it."""
    fields = [
        _field("line", "string", "source line", required=True),
        _field("funder", "string", "who gave it"),
        _field("funder_zh", "string", "who gave it, in Chinese"),
        _field("programme", "string", "what it is for", required=True),
        _field("place", "string", "code of the place that got it", required=True),
        _field("figure", "string", "the figure it is a part of", required=True),
        _field("yuan", "number", "amount, yuan", required=True),
    ]
    flow = content.said.get("flow") or {"lines": [], "paid": []}
    told = {x["code"]: [x["code"], x["funder_en"], x["funder_zh"], x["programme"]] for x in flow["lines"]}
    region = content.said["region"]["place"]
    rows = [[*told[x["code"]], region, RECEIVED, number(x["received"])] for x in flow["lines"]]
    rows += [[*told[line], place, ALLOCATED, number(yuan)] for line, place, yuan in flow["paid"]]
    keys = [{"fields": ["place"], "reference": {"resource": "places", "fields": ["code"]}}]
    schema = {"fields": fields, "primaryKey": ["line", "place", "figure"], "foreignKeys": keys, "missingValues": [""]}
    return "flow", schema, [f["name"] for f in fields], rows


def _capital(content: Content) -> _Table:
    """The funds' capital by source: on the region's first day and at the end of each year."""
    fields = [
        _field("year", "integer", "year", required=True),
        _field("opening", "boolean", "whether it is the state before that year", required=True),
        _field("figure", "string", "figure of that source", required=True),
        _field("yuan", "number", "amount, yuan", required=True),
        _field("snapshot", "string", "sealed snapshot it was read from", required=True),
    ]
    rows = [
        [state["year"], str(state["opening"]).lower(), figure, number(yuan), state["snapshot"]]
        for state in content.said.get("capital", ())
        for figure, yuan in state["values"].items()
    ]
    return (
        "capital",
        {"fields": fields, "primaryKey": ["year", "opening", "figure"], "missingValues": [""]},
        [f["name"] for f in fields],
        rows,
    )


def _resource(name: str, schema: dict[str, Any], data: bytes) -> dict[str, Any]:
    return {
        "name": name,
        "type": "table",
        "path": f"{name}.csv",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": len(data),
        "hash": f"sha256:{hashlib.sha256(data).hexdigest()}",
        "schema": schema,
    }


def _descriptor(publication: Publication, resources: list[dict[str, Any]]) -> dict[str, Any]:
    said = publication.said
    signers = [{"title": s.name, "roles": [s.step]} for s in publication.signatures]
    return {
        "$schema": SCHEMA,
        "name": f"yearbook-{said['region']['code']}-{said['year']}",
        "title": publication.chapter(ENGLISH).title,
        "description": " ".join([publication.chapter(CHINESE).title, *publication.warnings(ENGLISH)]),
        "version": f"{publication.number or 0}.{len(publication.errata)}.0",
        "created": publication.moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "id": publication.content.digest,
        "keywords": ["poverty alleviation", "yearbook", said["region"]["name_en"], str(said["year"])],
        "contributors": [{"title": said["controller"], "roles": ["publisher"]}, *signers],
        "sources": [{"title": f"sealed snapshot {said['snapshot']['name']}"}],
        "resources": resources,
    }
