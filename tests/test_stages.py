"""The stages: each test has its world whole and to itself, and one that asks for none has none."""

from typing import Any

import pytest

from karez.access.models import User
from karez.access.services import add_user

PEOPLE = 11


def spoil(world: Any) -> None:
    """The world is whole, and no longer is."""
    assert len(world.areas) == 20 and world.clerk.username == "clerk"
    assert User.objects.count() == PEOPLE
    add_user(username="late", full_name="Late", password=None)
    world.areas.clear()
    world.clerk.username = "spoilt"


def test_none_before(db: None) -> None:
    """Leaves a connection behind, which the first stage must not be built through."""
    assert not User.objects.exists()


@pytest.mark.parametrize("turn", [1, 2])
def test_rolled_back(turn: int, world: Any) -> None:
    spoil(world)


def test_none_between(db: None) -> None:
    assert not User.objects.exists()


@pytest.mark.parametrize("turn", [1, 2])
def test_committed(turn: int, committed_world: Any) -> None:
    spoil(committed_world)


def test_none_where_commits_are_real(committed_db: str) -> None:
    assert not User.objects.exists()


def test_rolled_back_after_commits(world: Any) -> None:
    spoil(world)
