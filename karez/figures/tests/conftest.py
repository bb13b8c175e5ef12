"""Declarations of a test put in the place of the installation's."""

from pathlib import Path

import pytest

from karez.figures import engine, queries
from karez.figures.tests.small import Use, declared


@pytest.fixture
def use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Use:
    """Makes these declarations the installation's; they must be without faults."""

    def put(text: str) -> None:
        found, faults = declared(tmp_path / "declared", text)
        assert faults == []
        monkeypatch.setattr(engine, "declarations", lambda: found)
        monkeypatch.setattr(queries, "declarations", lambda: found)

    return put
