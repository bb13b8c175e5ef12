"""What another installation published is read whole or not at all: every fault by file, line and column; hostile files
do nothing.
"""

import io
import json
import random
import zipfile
from fractions import Fraction
from functools import partial

import pytest
from python_calamine import CalamineWorkbook

from karez.chapter.compose import STATES
from karez.comparison.package_file import MAX_UNPACKED, read_package
from karez.kernel.tests.work import calls
from karez.publication.content import Content
from karez.publication.formats.publication import Publication
from karez.publication.publishing import files_of


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """The files as an archive."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return made.getvalue()


@pytest.fixture(scope="module")
def _kept() -> dict[str, bytes]:
    return {}


@pytest.fixture
def published(content: Content, _kept: dict[str, bytes]) -> dict[str, bytes]:
    """Every file of a published chapter; made once."""
    if not _kept:
        _kept |= files_of(Publication(content))
    return _kept


@pytest.fixture
def data(published: dict[str, bytes]) -> dict[str, bytes]:
    """The four files of the package."""
    return {name.removeprefix("data/"): b for name, b in published.items() if name.startswith("data/")}


def test_a_published_package_is_read(published: dict[str, bytes], data: dict[str, bytes]) -> None:
    for archive in (zipped(data), zipped({f"some/where/{n}": b for n, b in data.items()}), zipped(published)):
        package = read_package(archive)
        assert package.faults == []
        assert package.year == 2009
        assert package.values["mutual_funds.funds_2009", "9901"] == (Fraction(85_500_000), "value")
        assert package.values["mutual_funds.member_households", "9901"][0] == 40232
        assert package.values["mutual_funds.member_households", "990101"] == (None, "suppressed")
        assert package.figures["mutual_funds.villages_total"].label_zh == "互助资金村合计"
        assert package.places["990101"].name_zh == "柳井县"
    region = read_package(published["figures.csv"])
    assert region.faults == []
    assert region.year == 2009
    assert set(region.places) == {"99"}
    assert region.values["mutual_funds.villages_total", "99"] == (428, "value")


def test_every_state_comes_back_as_it_was_published(content: Content) -> None:
    """Undefined, missing, withheld and not collected are four things, in the package and in figures.csv."""
    said = json.loads(content.text)
    states = {}
    for cell, state in zip((c for c in said["cells"] if c[1] == "99"), STATES, strict=False):
        if state != "value":
            cell[2:] = [None, state]
        states[cell[0], "99"] = state
    assert len(states) == 4 and STATES[4] == "suppressed"
    said["cells"][-1][2:] = [None, "suppressed"]
    said["cells"][-2][2:] = [None, "undefined"]
    made = files_of(Publication(Content(json.dumps(said))))
    package = read_package(zipped({n.removeprefix("data/"): b for n, b in made.items() if n.startswith("data/")}))
    assert package.faults == []
    assert {key: state for key, (_value, state) in package.values.items()} == {
        (i, p): state for i, p, _exact, state in said["cells"]
    }
    region = read_package(made["figures.csv"])
    assert region.faults == []
    assert {key: state for key, (_value, state) in region.values.items()} == states
    older = b"id,label,value,unit,rounding,place,place_name,as_of,snapshot\na.b,l,,yuan,1,99,P,2009-12-31,s\n"
    assert read_package(older).values["a.b", "99"] == (None, "missing")  # what was published before there was a state
    wrong = read_package(made["figures.csv"].replace(b",undefined,", b",value,", 1))
    assert [(f.line, f.column) for f in wrong.faults] == [(5, "value")]
    notes = " ".join(
        str(c)
        for row in CalamineWorkbook.from_filelike(io.BytesIO(made["figures.xlsx"]))
        .get_sheet_by_name("Note 说明")
        .to_python()
        for c in row
    )
    assert "undefined: it could not be computed" in notes and "无法计算：" in notes


def _with(data: dict[str, bytes], name: str, old: str, new: str) -> dict[str, bytes]:
    """The package with one file changed, its digest told anew."""
    assert old in data[name].decode()
    changed = data | {name: data[name].decode().replace(old, new, 1).encode()}
    descriptor = json.loads(changed["datapackage.json"])
    for resource in descriptor["resources"]:
        resource.pop("hash")
    return changed | {"datapackage.json": json.dumps(descriptor).encode()}


WRONG = [
    ("values.csv", "mutual_funds.funds_2009,99,", "mutual_funds.funds_2009,98,", (2, "place")),
    ("values.csv", "mutual_funds.funds_2009,99,", "no such id,99,", (2, "figure")),
    ("values.csv", "mutual_funds.funds_2009,99,", "not.there,99,", (2, "figure")),
    ("values.csv", "mutual_funds.funds_2009,99,2009", "mutual_funds.funds_2009,99,2010", (3, "year")),
    ("values.csv", ",85500000,", ",=1+1,", (2, "value")),
    ("values.csv", ",85500000,", ",nan,", (2, "value")),
    ("values.csv", ",85500000,", ",1e9999,", (2, "value")),
    ("values.csv", ",85500000,value", ",85500000,missing", (2, "value")),
    ("values.csv", ",85500000,value", ",85500000,secret", (2, "state")),
    ("values.csv", "2009-12-31,85500000", "85500000", (2, "state")),
    ("figures.csv", "10000,", "0,", (2, "rounding")),
    ("figures.csv", "money pooled", "=HYPERLINK(money", (2, "label")),
    ("figures.csv", "id,label", "id,name", (1, "label")),
    ("places.csv", "9901,prefecture", "99,prefecture", (3, "code")),
    ("places.csv", "9901,prefecture", "9901,village", (3, "level")),
    ("places.csv", "9901,prefecture", "../../etc,prefecture", (3, "code")),
    ("datapackage.json", '"resources"', '"sources2"', (1, "")),
]


@pytest.mark.parametrize(("name", "old", "new", "at"), WRONG)
def test_every_fault_is_told(data: dict[str, bytes], name: str, old: str, new: str, at: tuple[int, str]) -> None:
    changed = (
        data | {name: data[name].replace(old.encode(), new.encode(), 1)}
        if name == "datapackage.json"
        else _with(data, name, old, new)
    )
    package = read_package(zipped(changed))
    assert (name, *at) in [(f.file, f.line, f.column) for f in package.faults]


def test_bytes_changed_after_publishing_are_told(data: dict[str, bytes]) -> None:
    package = read_package(zipped(data | {"values.csv": data["values.csv"].replace(b"428", b"429", 1)}))
    assert [f.file for f in package.faults] == ["values.csv"]
    assert "digest" in package.faults[0].found


def test_hostile_archives_do_nothing(data: dict[str, bytes]) -> None:
    deep = b"[" * 200_000
    hostile = [
        b"",
        b"PK\x03\x04",
        b"PK\x03\x04" + b"\0" * 4000,
        zipped({}),
        zipped({"datapackage.json": b"{}"}),
        zipped(data)[:-30],
        zipped(data)[:500],
        zipped(data | {"values.csv": b"0" * (MAX_UNPACKED + 10)}),
        zipped({f"{n}.txt": b"" for n in range(5000)}),
        zipped(data | {"datapackage.json": deep}),
        zipped(data | {"values.csv": zipped(data)}),
        zipped(data | {"figures.csv": b"\xff\xfe\x00"}),
        zipped(data | {"values.csv": b'"' + b"a," * 100_000}),
        b"id,label\n" * 10,
        b"\x00" * 1000,
        "名,值\n".encode("gb18030"),
    ]
    for one in hostile:
        package = read_package(one)
        assert package.faults
        assert calls(partial(read_package, one)) < 400_000
        assert all(len(str(f.found)) < 400 for f in package.faults)


def test_a_thousand_changed_packages_crash_nothing(data: dict[str, bytes], published: dict[str, bytes]) -> None:
    rng = random.Random(7)
    archive, table = zipped(data, zipfile.ZIP_STORED), published["figures.csv"]
    for _ in range(500):
        for whole in (archive, table):
            changed = bytearray(whole)
            for _ in range(rng.randint(1, 12)):
                at = rng.randrange(len(changed))
                changed[at : at + rng.randint(0, 3)] = bytes(rng.randrange(256) for _ in range(rng.randint(0, 3)))
            package = read_package(bytes(changed))
            assert package.faults or package.values


def test_flipped_and_truncated_archives_are_faults_or_sound(data: dict[str, bytes]) -> None:
    chance, sound = random.Random(5), zipped(data)
    for turn in range(300):
        made = bytearray(sound[: chance.randrange(4, len(sound))] if turn % 3 == 0 else sound)
        for _ in range(chance.randrange(0, 20)):
            made[chance.randrange(4, len(made))] ^= chance.randrange(1, 256)
        package = read_package(bytes(made))
        assert package.faults or package.values


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_a_packing_no_package_has_is_not_opened(data: dict[str, bytes], method: int) -> None:
    made = bytearray(zipped(data, method))
    at = made.index(b"values.csv") + 10
    made[at + 12 : at + 60] = b"\xff" * 48
    assert [f.found for f in read_package(bytes(made)).faults] == ["an archive packed in a way packages are not"]
