"""Files and moments that are meant to break something: bombs no spreadsheet writes, files without headings, faults of
the machine.
"""

import io
from types import SimpleNamespace

import pytest
from cryptography.exceptions import InvalidTag
from django.db import DatabaseError

from karez.access.roles import Role
from karez.access.services import grant_role
from karez.intake import registry, services, vault
from karez.intake.models import Batch, State
from karez.intake.tests.conftest import VILLAGES, csv_of, id_number, sent
from karez.kernel.refusal import Refusal
from karez.kernel.sheets import Column, Sheet
from karez.records.exports import csv_line


def kept() -> int:
    return len([p for p in vault.paths.FILES.rglob("*") if p.is_file()])


def refused(county: SimpleNamespace, content: bytes | str) -> Refusal:
    before = kept()
    with pytest.raises(Refusal) as told:
        sent(county, content)
    assert kept() == before
    return told.value


def test_a_file_without_headings_is_kept_nowhere_and_told_nowhere(county: SimpleNamespace) -> None:
    number = id_number(7)
    told = refused(county, f"R1,{VILLAGES[0]},马小军,{number},5,2009-03-01,ok\nR2,{VILLAGES[0]},李,,5,2009-03-01,ok\n")
    assert told.code == "intake.unreadable"
    assert number not in str(told)
    assert "马小军" not in str(told)
    titled = refused(county, "名单,,\nref,village,民族\nR1,1,秘密族\n")
    assert titled.code == "intake.unreadable"
    assert not Batch.objects.exists()


@pytest.mark.parametrize(
    "heading",
    ["民 族", "民　族", "Ethnicity ", "ethnic_group", "ＥＴＨＮＩＣ", "民\u200b族", "民-族", "relig\u00adion"],
)
def test_a_denied_heading_in_disguise(county: SimpleNamespace, heading: str) -> None:
    batch = sent(county, f"ref,village,name,{heading}\nr1,{VILLAGES[0]},a,secretvalue\n")
    assert b"secretvalue" not in b"".join(vault.chunks(batch.vault_ref))
    assert batch.notices[0]["what"] == "denied_column"


def test_a_fault_of_the_machine_leaves_no_batch_in_the_middle(
    county: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever stops an applying, the batch waits as before and says why; otherwise it could neither be applied nor
    refused.
    """
    batch = sent(county, csv_of(3))

    def broken(applying: object) -> dict[str, int]:
        applying.cursor.execute("SELECT 1 / (SELECT 0)")  # type: ignore[attr-defined]
        return {}

    sheet = registry.sheet_named("toy")
    monkeypatch.setattr(services.registry, "sheet_named", lambda _name: _changed(sheet, apply=broken))
    with pytest.raises(DatabaseError):
        services.apply(county.approver, batch_id=batch.pk)
    batch.refresh_from_db()
    assert (batch.state, batch.decided_by_id) == (State.CHECKED, None)
    assert "fault of the program" in batch.trouble
    assert services.refuse(county.approver, batch_id=batch.pk, reason="it breaks").state == State.REFUSED


def test_work_on_a_batch_begins_with_what_it_is_then(county: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second worker that read the state before the first one finished does not undo what was decided since."""
    batch = sent(county, csv_of(3))
    alone = services._alone

    def late(batch_id: int) -> object:
        if Batch.objects.get(pk=batch_id).state == State.APPLYING:
            with alone(batch_id), monkeypatch.context() as inside:
                inside.setattr(services, "_alone", alone)
                services.run_apply(batch_id)
        return alone(batch_id)

    services.decide(county.approver, batch_id=batch.pk)
    monkeypatch.setattr(services, "_alone", late)
    assert services.run_apply(batch.pk).state == State.APPLIED
    assert services.run_apply(batch.pk).trouble == ""


def test_a_sheet_of_the_region_is_sent_by_who_holds_the_region(
    county: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = Sheet(
        "plan_targets",
        "Plan",
        "of the region",
        (Column("code", "code"),),
        lambda _a: {},
        "register.send",
        "register.apply",
    )
    monkeypatch.setattr(services.registry, "sheet_named", lambda _name: plan)
    with pytest.raises(Refusal) as told:
        services.receive(county.sender, sheet="plan_targets", file_name="p.csv", stream=io.BytesIO(b"code\nx\n"))
    assert (told.value.code, "region" in told.value.found) == ("access.not_granted", True)
    grant_role(None, user=county.stranger, role=Role.REGIONAL_OFFICER, area_id=county.ids["640000"], starts_on=_day())
    assert services.receive(
        county.stranger, sheet="plan_targets", file_name="p.csv", stream=io.BytesIO(b"code\nx\n")
    ).pk


def test_a_sheet_without_a_way_back_is_refused_in_words(
    county: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = sent(county, csv_of(2))
    services.apply(county.approver, batch_id=batch.pk)
    sheet = registry.sheet_named("toy")
    monkeypatch.setattr(services.registry, "sheet_named", lambda _name: _changed(sheet, withdraw=None))
    with pytest.raises(Refusal) as told:
        services.withdraw(county.approver, batch_id=batch.pk)
    assert told.value.code == "intake.no_withdrawal"


@pytest.mark.parametrize("begins", ["=1", "+x", "-x", "@x", "\tx", "\r=1", "＝1", "＠x"])
def test_a_list_of_faults_holds_nothing_a_spreadsheet_would_run(begins: str) -> None:
    assert csv_line((1, begins)).split(",", 1)[1].lstrip('"').startswith("'")


def test_a_cell_of_ten_megabytes_spoils_its_row_only(county: SimpleNamespace) -> None:
    batch = sent(county, csv_of(2) + f"R9,{VILLAGES[0]},a,,1,2009-03-01,{'x' * 10_000_000}\n")
    assert batch.state == State.FAULTY
    assert {f.row_no for f in batch.faults.all()} == {4}
    assert max(len(f.found) for f in batch.faults.all()) <= 80


def test_no_kept_file_can_stand_in_for_another() -> None:
    one, other = vault.put([b"paid 100"]), vault.put([b"paid 900"])
    vault._path(one.ref).write_bytes(vault._path(other.ref).read_bytes())
    with pytest.raises(InvalidTag):
        list(vault.chunks(one.ref))
    assert b"".join(vault.chunks(other.ref)) == b"paid 900"
    for kept_file in (one, other):
        vault.delete(kept_file.ref)


def _changed(sheet: Sheet, **changes: object) -> Sheet:
    from dataclasses import replace

    return replace(sheet, **changes)  # type: ignore[arg-type]


def _day() -> object:
    from datetime import date

    return date(2009, 1, 1)
