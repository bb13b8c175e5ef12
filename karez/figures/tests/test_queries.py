"""Answers to people: whose places they see, what a trace tells, and that a live report must equal its figure."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from karez.access.models import ReadEvent, User
from karez.access.roles import Role
from karez.access.services import add_user, grant_role
from karez.closing import declared as closing_declared
from karez.closing import services
from karez.closing.snapshots import Snapshot
from karez.closing.tests.conftest import GRANTS, SmallRegion, small_region
from karez.figures import engine, queries, reports
from karez.figures.queries import aliases, catalogue, catalogue_text, figures_for, trace
from karez.figures.tests.small import declared, figure
from karez.kernel.facts import counted_on
from karez.kernel.figure_tables import LiveReport
from karez.kernel.refusal import Refusal

__all__ = ["small_region"]

FIGURES = (
    figure("test.grants", table="test_grants", where="role = 'auditor'", prints=["test.grants_restated"])
    + figure("test.roles", table="test_grants", value="count(distinct role)")
    + figure("test.share", formula="100 * test.grants / test.roles", unit="percent")
)


@pytest.fixture
def taken(small_region: SmallRegion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Snapshot:
    found, faults = declared(tmp_path, FIGURES, (GRANTS,))
    assert faults == []
    monkeypatch.setattr(closing_declared, "closing_checks", lambda: ())
    for module in (engine, queries):
        monkeypatch.setattr(module, "declarations", lambda: found)
    for village in (0, 0, 1, 3):
        small_region.fact(small_region.villages[village])
    small_region.fact(small_region.villages[4], role="treasurer")
    return services.provisional(small_region.preparer, year=2009)


def _officer(world: SmallRegion, area_id: int) -> User:
    user = add_user(username=f"officer{area_id}", full_name="Officer", password=None)
    grant_role(None, user=user, role=Role.COUNTY_OFFICER, area_id=area_id, starts_on=date(2009, 1, 1))
    return user


def _values(answer: dict[str, Any]) -> dict[tuple[str, str], Any]:
    return {(r["id"], r["place_name"]): r["value"] for r in answer["figures"]}


def test_the_operator_sees_every_place_and_is_logged(taken: Snapshot) -> None:
    answer = figures_for(None, "99", 2009, by="county", ids=["test.grants"])
    assert _values(answer) == {("test.grants", "Name 990101"): 3, ("test.grants", "Name 990102"): 1}
    row = answer["figures"][0]
    assert {"id", "label", "unit", "value", "place", "place_name", "as_of", "snapshot"} <= row.keys()
    assert (row["place"], row["as_of"], row["snapshot"]) == ("990101", "2009-12-31", taken.name)
    assert ReadEvent.objects.filter(user_id=None, kind="figures").exists()
    assert [r["exact"] for r in figures_for(None, "99", 2009, ids=["test.share"])["figures"]] == ["200"]


def test_a_county_sees_itself_and_the_totals_above(small_region: SmallRegion, taken: Snapshot) -> None:
    officer = _officer(small_region, small_region.counties[0])
    assert _values(figures_for(officer, "99", 2009, by="county", ids=["test.grants"])) == {
        ("test.grants", "Name 990101"): 3
    }
    assert _values(figures_for(officer, "99", 2009, by="region", ids=["test.grants"])) == {
        ("test.grants", "Name 99"): 4
    }
    assert len(figures_for(officer, "99", 2009, by="village", ids=["test.grants"])["figures"]) == 3
    nobody = add_user(username="nobody", full_name="No Body", password=None)
    with pytest.raises(Refusal):
        figures_for(nobody, "99", 2009)


def test_a_trace_tells_rows_here_and_counts_rows_elsewhere(small_region: SmallRegion, taken: Snapshot) -> None:
    whole = trace(None, "test.grants_restated", "99", 2009)
    assert {"id", "definition", "sql", "snapshot", "value", "by_place", "rows", "transfers"} <= whole.keys()
    assert (whole["id"], whole["value"], whole["digest"]) == ("test.grants", 4, taken.digest)
    assert [p["value"] for p in whole["by_place"]] == [3, 1]
    assert len(whole["rows"]) == 4
    assert whole["rows"][0]["role"] == "auditor"
    assert whole["definition"]["where"] == "role = 'auditor'"
    officer = _officer(small_region, small_region.counties[0])
    own = trace(officer, "test.grants", "99", 2009, limit=2)
    assert own["value"] == 4
    assert (len(own["rows"]), own["rows_here"], own["rows_elsewhere"], own["places_elsewhere"]) == (2, 3, 1, 1)
    assert {r["county_id"] for r in own["rows"]} == {small_region.counties[0]}
    more = trace(officer, "test.grants", "99", 2009, after=own["next_row"], limit=2)
    assert len(more["rows"]) == 1
    assert more["next_row"] is None
    with pytest.raises(Refusal):
        trace(officer, "test.grants", "99", 2009, area_id=small_region.counties[1])
    with pytest.raises(Refusal):
        trace(officer, "test.grants", "99", 2009, area_id=small_region.villages[4])
    with pytest.raises(Refusal):
        trace(officer, "test.nothing", "99", 2009)
    assert ReadEvent.objects.filter(user_id=officer.pk, kind="figure_rows").count() == 2


def test_the_trace_of_a_formula_shows_its_inputs(taken: Snapshot) -> None:
    found = trace(None, "test.share", "99", 2009)
    assert [(i["id"], i["value"]) for i in found["inputs"]] == [("test.grants", 4), ("test.roles", 2)]
    assert (found["value"], found["rows_of"], len(found["rows"])) == (200, "test.grants", 4)


def test_catalogue_and_aliases(taken: Snapshot) -> None:
    assert aliases() == {"test.grants_restated": "test.grants"}
    assert [f["id"] for f in catalogue(2009)] == ["test.grants", "test.roles", "test.share"]
    assert "## test.share" in catalogue_text()


@pytest.mark.parametrize(("more", "passes"), [("", True), (" + 1", False)])
def test_a_live_report_must_equal_its_figure(
    small_region: SmallRegion, taken: Snapshot, monkeypatch: pytest.MonkeyPatch, more: str, passes: bool
) -> None:
    live = LiveReport(
        figure="test.grants",
        label="Grants now",
        sql=f"SELECT p.county_id, count(*){more} FROM access_grant g JOIN places_tree_on(%(as_of)s, true) p USING "
        "(area_id)"
        f" WHERE role = 'auditor' AND recorded_by_id = 7 AND {counted_on('%(as_of)s', event=False, alias='g')} "
        "GROUP BY 1",
    )
    monkeypatch.setattr(closing_declared, "live_reports", lambda: (live,))
    closing_declared.register_report_check("figures.reports_equal_figures", reports.check_reports)
    prepared = services.prepare(small_region.preparer, year=2009)
    assert prepared.ready is passes
    if not passes:
        assert "Grants now, 990101" in prepared.failing[0].rows[0].record
        with pytest.raises(Refusal):
            services.sign(small_region.signer, year=2009)
