"""A year closed by two people: what is frozen, what stops it, what later truth changes (nothing), and reopening."""

import hashlib
import json
import shutil
import threading
from datetime import date

import psycopg
import pyarrow.parquet as pq
import pytest
from django.db.models.functions import Now

from karez.access.models import Grant
from karez.closing import declared, queries, services, sessions, snapshots
from karez.closing.checking import Wrong
from karez.closing.models import CheckResult, SnapshotRecord
from karez.closing.queries import best_snapshot, close_status, sealed_snapshot
from karez.closing.tests.conftest import SmallRegion
from karez.kernel.refusal import Refusal
from karez.periods import services as periods


def _close(world: SmallRegion, year: int = 2009) -> snapshots.Snapshot:
    services.prepare(world.preparer, year=year)
    return services.sign(world.signer, year=year)


def test_a_sealed_year_holds_rows_with_their_places(small_region: SmallRegion) -> None:
    for village in small_region.villages[:4]:
        small_region.fact(village)
    told: list[str] = []
    prepared = services.prepare(small_region.preparer, year=2009, progress=lambda what, _share: told.append(what))
    assert prepared.ready
    assert "writing the table test_grants" in told
    assert prepared.snapshot.kind == "provisional"
    sealed = services.sign(small_region.signer, year=2009)
    assert sealed.kind == "sealed"
    assert sealed.path.name == f"99-2009-{sealed.digest[:12]}"
    snapshots.verify(sealed)
    rows = pq.read_table(sealed.file("test_grants")).to_pylist()
    assert len(rows) == 4
    assert {r["area_level"] for r in rows} == {"village"}
    assert {r["county_id"] for r in rows} == set(small_region.counties)
    assert str(rows[0]["half"]).count(".") == 1
    places = pq.read_table(sealed.file("places")).to_pylist()
    assert len(places) == 12
    assert places[0]["name_en"] == "Name 99"
    described = sealed.tables["test_grants"]["columns"]
    assert [c["name"] for c in described] == list(rows[0])
    assert periods.period(2009).state == "closed"
    assert sealed_snapshot("99", 2009).digest == sealed.digest == best_snapshot("99", 2009).digest
    assert SnapshotRecord.objects.filter(digest=sealed.digest, rows=sealed.rows).exists()
    assert not list(snapshots.root().glob(".side-*"))


def test_on_1_january_and_on_1_april_the_same_bytes(small_region: SmallRegion) -> None:
    first = small_region.fact(small_region.villages[0])
    small_region.fact(small_region.villages[1], role="treasurer", starts_on="2009-11-30")
    before = services.provisional(small_region.preparer, year=2009)
    # January to March: new facts, and an end of the new year.
    small_region.fact(small_region.villages[2], starts_on="2010-01-01")
    small_region.fact(small_region.villages[3], starts_on="2010-03-31")
    Grant.objects.filter(pk=first.pk).update(
        ends_before=date(2010, 2, 1), counts_before=date(2010, 2, 1), ended_at=Now(), ended_by_id=7, end_reason="left"
    )
    after = services.provisional(small_region.preparer, year=2009)
    assert {t: d["sha256"] for t, d in before.tables.items()} == {t: d["sha256"] for t, d in after.tables.items()}
    assert before.content == after.content
    assert before.digest != after.digest


def test_a_death_learnt_after_the_close_counts_later(small_region: SmallRegion) -> None:
    person = small_region.fact(small_region.villages[0])
    first = _close(small_region)
    died = {"ends_before": date(2009, 10, 5), "ended_at": Now(), "ended_by_id": 7, "end_reason": "death"}
    with pytest.raises(Exception, match="closed"):
        Grant.objects.filter(pk=person.pk).update(counts_before=date(2009, 10, 5), **died)
    Grant.objects.filter(pk=person.pk).update(counts_before=periods.counts_on(date(2009, 10, 5)), **died)
    small_region.fact(small_region.villages[1], starts_on="2009-07-01")  # found out late too
    second = _close(small_region, 2010)
    assert pq.read_table(first.file("test_grants")).num_rows == 1
    kept = pq.read_table(second.file("test_grants")).to_pylist()
    assert [str(r["started_on"]) for r in kept] == ["2009-07-01"]
    services.reopen(small_region.preparer, small_region.signer, year=2010, reason="drill")
    services.reopen(small_region.preparer, small_region.signer, year=2009, reason="a county was left out")
    again = _close(small_region)
    assert again.content == first.content  # what was learnt in 2010 counts in 2010
    assert snapshots.named(first.digest) is not None  # the old snapshot is kept


def test_two_people_and_their_permissions(small_region: SmallRegion) -> None:
    with pytest.raises(Refusal, match="may do this: Regional officer or Statistician"):
        services.prepare(small_region.signer, year=2009)
    with pytest.raises(Refusal) as nobody_prepared:
        services.sign(small_region.signer, year=2009)
    assert nobody_prepared.value.code == "closing.not_now"
    services.prepare(small_region.preparer, year=2009)
    with pytest.raises(Refusal, match="may do this: Approver"):
        services.sign(small_region.preparer, year=2009)
    taken = {s.digest for s in snapshots.existing()}
    with pytest.raises(Refusal):
        services.prepare(small_region.preparer, year=2010)
    assert {s.digest for s in snapshots.existing()} == taken  # what is refused takes no draft and pushes none out
    with pytest.raises(Refusal) as early:
        services.prepare(small_region.preparer, year=date.today().year)
    assert early.value.code == "closing.year_not_over"
    assert periods.period(2009).state == "open"
    services.sign(small_region.signer, year=2009)
    taken = {s.digest for s in snapshots.existing()}
    with pytest.raises(Refusal, match="years close in order"):
        services.prepare(small_region.preparer, year=2009)
    assert {s.digest for s in snapshots.existing()} == taken


def test_a_failing_check_stops_signing_until_accepted(small_region: SmallRegion) -> None:
    small_region.fact(small_region.villages[0], role="treasurer")
    prepared = services.prepare(small_region.preparer, year=2009)
    assert not prepared.ready
    assert prepared.failing[0].rows[0].link.startswith("/grants/")
    with pytest.raises(Refusal) as stopped:
        services.sign(small_region.signer, year=2009)
    assert stopped.value.code == "closing.checks_fail"
    assert periods.period(2009).state == "open"
    with pytest.raises(Refusal):
        services.accept_failure(small_region.preparer, year=2009, check="test.no_treasurer", reason="  ")
    with pytest.raises(Refusal):
        services.accept_failure(small_region.preparer, year=2009, check="test.other", reason="because")
    services.accept_failure(small_region.preparer, year=2009, check="test.no_treasurer", reason="known, 2009 only")
    small_region.fact(small_region.villages[1], role="treasurer")  # another row than the one accepted
    with pytest.raises(Refusal):
        services.sign(small_region.signer, year=2009)
    services.prepare(small_region.preparer, year=2009)
    services.accept_failure(small_region.preparer, year=2009, check="test.no_treasurer", reason="both known")
    services.prepare(small_region.preparer, year=2009)
    assert services.sign(small_region.signer, year=2009).kind == "sealed"
    status = close_status(small_region.preparer, 2009)
    assert status.state == "closed"
    assert [a.reason for a in status.acceptances] == ["known, 2009 only", "both known"]
    assert CheckResult.objects.filter(name="test.no_treasurer", failures=2).exists()


def test_a_row_without_a_place_stops_signing(small_region: SmallRegion) -> None:
    small_region.fact(987654)
    prepared = services.prepare(small_region.preparer, year=2009)
    assert [o.name for o in prepared.failing] == ["closing.rows_have_a_place"]
    assert "987654" in prepared.failing[0].rows[0].record
    with pytest.raises(Refusal):
        services.accept_failure(small_region.preparer, year=2009, check="closing.rows_have_a_place", reason="x")
    with pytest.raises(Refusal):
        services.sign(small_region.signer, year=2009)


def test_a_report_that_differs_stops_signing(small_region: SmallRegion) -> None:
    seen = []

    def check(snapshot: snapshots.Snapshot, reports: object, run: object) -> list[Wrong]:
        seen.append(snapshot.kind)
        return [Wrong("mutual_funds.capital", "5", "6")]

    declared.register_report_check("figures.reports", check)
    services.prepare(small_region.preparer, year=2009)
    with pytest.raises(Refusal, match="report"):
        services.sign(small_region.signer, year=2009)
    assert seen == ["provisional", "sealed"]
    assert snapshots.existing(kind="sealed") == []


def test_an_open_writer_is_waited_for_and_named(small_region: SmallRegion, monkeypatch: pytest.MonkeyPatch) -> None:
    services.prepare(small_region.preparer, year=2009)
    monkeypatch.setattr(sessions.locked_year.__wrapped__, "__kwdefaults__", {"wait_seconds": 0.5})
    with psycopg.connect(sessions.conninfo("late desk")) as writer:
        writer.execute("SELECT periods_hold('2009-12-31')")
        with pytest.raises(Refusal) as busy:
            services.sign(small_region.signer, year=2009)
        assert busy.value.code == "periods.busy"
        assert "late desk" in busy.value.found
        assert periods.period(2009).state == "open"
        monkeypatch.setattr(sessions.locked_year.__wrapped__, "__kwdefaults__", {"wait_seconds": 20})
        sealed: list[snapshots.Snapshot] = []
        signing = threading.Thread(target=lambda: sealed.append(services.sign(small_region.signer, year=2009)))
        signing.start()
        signing.join(0.5)
        assert signing.is_alive(), "signing did not wait for the open writer"
        writer.execute(
            "INSERT INTO access_grant (user_id, role, area_id, starts_on, counts_from, recorded_by_id)"
            " VALUES (%s, 'auditor', %s, '2009-12-31', '2009-12-31', 7)",
            [small_region.preparer.pk, small_region.villages[0]],
        )
        writer.commit()
        signing.join(30)
    assert pq.read_table(sealed[0].file("test_grants")).num_rows == 1  # what was open across the close is in it


def test_an_interrupt_leaves_the_year_open(small_region: SmallRegion) -> None:
    services.prepare(small_region.preparer, year=2009)
    for moment in (
        "running the checks",
        "writing the table test_grants",
        "reading every file again",
        "putting the snapshot in place",
    ):

        def interrupt(what: str, share: float, moment: str = moment) -> None:
            if what == moment:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            services.sign(small_region.signer, year=2009, progress=interrupt)
        assert periods.period(2009).state == "open", moment
        assert not list(snapshots.root().glob(".side-*"))
    sealed = services.sign(small_region.signer, year=2009)
    assert [s.digest for s in snapshots.existing(kind="sealed")] == [sealed.digest]


def test_the_newest_three_provisional_snapshots_are_kept(small_region: SmallRegion) -> None:
    taken = [services.provisional(small_region.preparer, year=2009).digest for _ in range(5)]
    assert [s.digest for s in snapshots.existing(kind="provisional")] == taken[:1:-1]
    assert best_snapshot("99", 2009).digest == taken[-1]
    with pytest.raises(Refusal):
        best_snapshot("64", 2009)
    with pytest.raises(Refusal):
        sealed_snapshot("99", 2009)


@pytest.mark.parametrize("harm", ["byte", "missing", "extra", "manifest"])
def test_verify_finds_every_harm(small_region: SmallRegion, harm: str) -> None:
    small_region.fact(small_region.villages[0])
    taken = services.provisional(small_region.preparer, year=2009)
    snapshots.verify(taken)
    file = taken.file("test_grants")
    if harm == "byte":
        data = bytearray(file.read_bytes())
        data[100] ^= 1
        file.write_bytes(data)
    elif harm == "missing":
        file.unlink()
    elif harm == "extra":
        shutil.copy(file, file.with_name("more.parquet"))
    else:
        manifest = taken.path / "manifest.json"
        manifest.write_text(manifest.read_text().replace('"rows": 1', '"rows": 2'))
    with pytest.raises(snapshots.Damaged):
        snapshots.verify(snapshots.Snapshot(taken.path))


def test_a_folder_that_agrees_with_itself_is_not_yet_the_one_sealed(small_region: SmallRegion) -> None:
    """Table, digests, manifest and the folder's name changed together: only the database knows better."""
    small_region.fact(small_region.villages[0])
    services.prepare(small_region.preparer, year=2009)
    sealed = services.sign(small_region.signer, year=2009)
    assert queries.unproved_snapshots() == []
    file = sealed.file("test_grants")
    pq.write_table(pq.read_table(file).slice(0, 0), file)
    told = sealed.manifest
    told["tables"]["test_grants"] |= {"rows": 0, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
    told["content"] = snapshots.content_digest(told["tables"])
    (sealed.path / "manifest.json").write_text(json.dumps(told))
    forged = snapshots.put_in_place(snapshots.Snapshot(sealed.path))
    snapshots.verify(forged)
    assert [what for what, _ in queries.unproved_snapshots()] == ["year 2009", f"snapshot {forged.name}"]
    with pytest.raises(Refusal):
        sealed_snapshot("99", 2009)


def test_one_damaged_folder_does_not_hide_the_others(small_region: SmallRegion) -> None:
    small_region.fact(small_region.villages[0])
    taken = services.provisional(small_region.preparer, year=2009)
    for name, text in (("cut", "{"), ("list", "[]"), ("strange", '{"kind": "sealed"}')):
        (snapshots.root() / name).mkdir()
        (snapshots.root() / name / "manifest.json").write_text(text)
    (snapshots.root() / "empty").mkdir()
    assert [s.name for s in snapshots.existing()] == [taken.name]
    assert best_snapshot("99", 2009).name == taken.name
    assert snapshots.unreadable() == ["cut", "empty", "list", "strange"]
    with pytest.raises(snapshots.Damaged):
        snapshots.verify(snapshots.Snapshot(snapshots.root() / "cut"))


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE closing_acceptance SET reason = 'x'",
        "DELETE FROM closing_snapshotrecord",
        "DELETE FROM closing_checkresult",
        "UPDATE closing_preparation SET prepared_by_id = 1",
        "TRUNCATE closing_acceptance CASCADE",
    ],
)
def test_the_record_of_closing_cannot_be_changed(committed_db: str, attack: str) -> None:
    with psycopg.connect(sessions.conninfo("attack")) as raw, pytest.raises(psycopg.errors.InsufficientPrivilege):
        raw.execute(attack)
