"""What released versions left is restored, upgraded and proved by this one: the same figures come out.

`tests/releases/make.py` makes the fixture of a version when it is released.
"""

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.installations import karez, new_folder, remove

pytestmark = pytest.mark.installation
RELEASES = sorted(p for p in (Path(__file__).parent / "releases").iterdir() if (p / "backup.tar.xz").exists())


@pytest.fixture
def empty() -> Iterator[Path]:
    made = new_folder()
    yield made
    remove(made)


@pytest.mark.parametrize("release", RELEASES, ids=[p.name for p in RELEASES])
def test_a_backup_of_a_released_version_is_upgraded(release: Path, empty: Path, tmp_path: Path) -> None:
    with tarfile.open(release / "backup.tar.xz") as packed:
        packed.extractall(tmp_path, filter="data")
    for words in (("restore", str(tmp_path / "backup"), "--keys", str(release)), ("upgrade",), ("verify",)):
        done = karez(empty, *words)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
    done = karez(empty, "figures", "--region", "64", "--year", "2009", "--format", "json")
    assert done.returncode == 0, done.stderr
    told, then = json.loads(done.stdout), json.loads((release / "figures.json").read_text(encoding="utf-8"))
    assert _values(told) == _values(then)


def _values(answer: dict[str, object]) -> dict[tuple[str, str], object]:
    rows: list[dict[str, object]] = answer["figures"]  # type: ignore[assignment]
    return {(str(row["id"]), str(row.get("place", ""))): row["value"] for row in rows}
