"""Files of the register and of returns on their whole way: received, staged, checked, applied by another, withdrawn."""

import io
from typing import Any

import pytest
from django.db import connection
from django.test import TestCase

from karez.intake import services as intake
from karez.intake import vault
from karez.kernel.refusal import Refusal
from karez.records.tests.asking import rows
from karez.register import identity, services
from karez.register.lists import HOUSEHOLDS
from karez.register.models import Assessment, Erasure, Household, Identity, Membership, Person
from karez.returns.models import Approval, Return

_REGISTER = """村代码,户编号,户类型,人员序号,与户主关系,性别,出生年月,入户日期,姓名,身份证号,联系电话,民族
990101100200,1,在册,1,户主,女,1970-05,2009-01-01,马丽,11010519491231002X,13900000000,回
990101100200,1,在册,2,配偶,男,1968年3月,2009/1/1,王刚,,,汉
990101100201,1,仅互助社成员,1,户主,男,,2009-03-01,李伟,,,汉
"""
_ASSESSMENTS = """village,household_no,year,assessed_on,income,size,line
990101100200,1,2009,2009-11-20,2501.00,2,2009-1196
"""
_RETURNS = """measure,area,year,value,numerator,denominator,unit,document
population,990101,2009,300000,,,persons,Bulletin 7
rural_net_income,990101,2009,2912,2912000,1000,yuan,Bulletin 7
"""


def _send(actor: Any, sheet: str, text: str) -> Any:
    batch = intake.receive(actor, sheet=sheet, file_name=f"{sheet}.csv", stream=io.BytesIO(text.encode()))
    return intake.stage(batch.pk)


def _apply(actor: Any, batch: Any) -> None:
    intake.apply(actor, batch_id=batch.pk)
    intake.run_apply(batch.pk)


def _faults(batch: Any) -> list[tuple[int, str, str]]:
    return list(batch.faults.order_by("row_no", "column").values_list("row_no", "column", "rule"))


def test_a_register_file_goes_its_way(world: Any) -> None:
    batch = _send(world.clerk, "register", _REGISTER)
    assert _faults(batch) == []
    assert "民族" in str(batch.notices)
    with pytest.raises(Refusal):
        intake.apply(world.clerk, batch_id=batch.pk)
    _apply(world.approver, batch)
    village = world.areas["990101100200"]
    assert [
        (h["household_no"], h["members"], h["case_status"]) for h in rows(world.clerk, HOUSEHOLDS, place=str(village))
    ] == [("1", 2, "recorded")]
    found = identity.find_by_name(world.clerk, name="马 丽", area_id=world.areas["990101"], purpose="check")
    opened = identity.open_identity(world.clerk, person_id=found[0].person_id, purpose="check")
    assert opened == identity.Values(name="马丽", id_number="11010519491231002X", phone="13900000000")
    by_number = identity.find_by_number(world.clerk, number="11010519491231002x", purpose="check")
    assert [f.person_id for f in by_number] == [found[0].person_id]
    assert Person.objects.filter(birth_month=None).count() == 1
    again = _send(world.clerk, "register", _REGISTER.replace("13900000000", "13900000001"))
    assert (2, "id_number", "person_not_yet_registered") in _faults(again)
    intake.refuse(world.clerk, batch_id=again.pk, reason="sent by mistake")
    assessed = _send(world.clerk, "assessments", _ASSESSMENTS)
    assert _faults(assessed) == []
    _apply(world.approver, assessed)
    assert Assessment.objects.get().income_per_head_fen == 125_050
    with pytest.raises(Refusal, match="register_assessment"):
        intake.ask_withdrawal(world.clerk, batch_id=batch.pk, reason="wrong file")
    intake.ask_withdrawal(world.clerk, batch_id=assessed.pk, reason="wrong file")
    intake.withdraw(world.approver, batch_id=assessed.pk)
    intake.ask_withdrawal(world.clerk, batch_id=batch.pk, reason="wrong file")
    intake.withdraw(world.approver, batch_id=batch.pk)
    assert not Identity.objects.exists()
    assert not Membership.objects.filter(voided_at=None).exists()
    assert not Household.objects.filter(voided_at=None).exists()


def test_a_file_of_another_county_is_refused(world: Any) -> None:
    batch = _send(world.other_clerk, "register", _REGISTER)
    assert batch.fault_count > 0
    assert not Household.objects.exists()


def test_a_returns_file_is_approved_by_who_applies_it(world: Any) -> None:
    batch = _send(world.clerk, "returns", _RETURNS)
    assert _faults(batch) == []
    _apply(world.approver, batch)
    assert Approval.objects.filter(recorded_by_id=world.approver.pk, submitted_by_id=world.clerk.pk).count() == 2
    intake.ask_withdrawal(world.clerk, batch_id=batch.pk, reason="wrong bulletin")
    intake.withdraw(world.approver, batch_id=batch.pk)
    assert not Return.objects.filter(voided_at=None).exists()


def test_a_withdrawal_carried_out_by_the_sender_names_who_asked(world: Any) -> None:
    batch = _send(world.regional, "returns", _RETURNS)
    _apply(world.approver, batch)
    intake.ask_withdrawal(world.second_approver, batch_id=batch.pk, reason="wrong bulletin")
    intake.withdraw(world.regional, batch_id=batch.pk)
    assert set(Return.objects.values_list("voided_by_id", flat=True)) == {world.second_approver.pk}


def test_a_person_of_a_file_moves_like_any_other(world: Any) -> None:
    batch = _send(world.clerk, "register", _REGISTER)
    _apply(world.approver, batch)
    member = Membership.objects.get(relation=1)
    household = Household.objects.get(kind="fund_member_only")
    services.move_person(
        world.clerk,
        person_id=member.person_id,
        household_id=household.pk,
        relation=8,
        on=member.starts_on.replace(month=6),
        reason="x",
    )
    assert len(identity.find_by_name(world.clerk, name="王刚", area_id=household.village_id, purpose="check")) == 1


def test_a_household_void_since_the_check_stops_the_batch_as_a_whole(world: Any) -> None:
    _apply(world.approver, _send(world.clerk, "register", _REGISTER))
    waiting = _send(world.clerk, "assessments", _ASSESSMENTS)
    assert waiting.state == "checked"
    home = Household.objects.get(household_no="1", village_id=world.areas["990101100200"])
    with connection.cursor() as cursor:
        cursor.execute(
            (
                "UPDATE register_household SET voided_at = now(), voided_by_id = 1, void_reason = 'x', void_counts_on "
                "= counts_from WHERE id = %s"
            ),
            [home.pk],
        )
    with pytest.raises(Refusal) as refused:
        intake.apply(world.approver, batch_id=waiting.pk)
    assert refused.value.code == "intake.records_changed"
    assert "row 2 of 1" in refused.value.found and refused.value.todo
    waiting.refresh_from_db()
    assert waiting.state == "checked" and "row 2" in waiting.trouble
    assert not Assessment.objects.exists()
    again = intake.check_again(world.approver, batch_id=waiting.pk)
    assert (again.state, _faults(again)) == ("faulty", [(2, "household_no", "household_known")])


def test_erasing_a_person_reaches_the_kept_files(world: Any) -> None:
    applied = _send(world.clerk, "register", _REGISTER)
    _apply(world.approver, applied)
    faulty = _send(world.clerk, "register", _REGISTER.replace("13900000000", "13900000001"))
    assert faulty.state == "faulty"
    elsewhere = _send(
        world.clerk, "register", _REGISTER.split("\n", 1)[0] + "\n990101100201,2,在册,1,户主,男,,2009-03-01,李丽,,,汉\n"
    )
    _apply(world.approver, elsewhere)
    person = Person.objects.get(sex=2)
    request = identity.request_erasure(world.clerk, person_id=person.pk, reason="asked for it")
    waiting = _send(
        world.clerk,
        "register",
        _REGISTER.split("\n", 1)[0] + "\n990101100201,9,在册,1,户主,男,,2009-03-01,王五,11010519491231002X,,\n",
    )
    intake.check_again(world.clerk, batch_id=waiting.pk)
    with TestCase.captureOnCommitCallbacks(execute=True):
        identity.erase_person(world.approver, request_id=request.pk)
    assert Erasure.objects.values_list("documents_renamed", "files_deleted", "files_without_words").get() == (0, 2, 0)
    for batch, is_there in ((applied, False), (faulty, False), (elsewhere, True)):
        batch.refresh_from_db()
        assert (batch.file_deleted_at is None) is is_there
        if is_there:
            assert next(vault.chunks(batch.vault_ref))
        else:
            assert batch.digest
            with pytest.raises(FileNotFoundError):
                next(vault.chunks(batch.vault_ref))
    with pytest.raises(Refusal) as gone:
        intake.check_again(world.clerk, batch_id=faulty.pk)
    assert gone.value.code == "intake.file_deleted"


def test_an_erasure_waits_for_a_file_that_holds_the_person(world: Any) -> None:
    head, mari, *_ = _REGISTER.split("\n")
    unnumbered = mari.replace("11010519491231002X", "")
    _apply(world.approver, _send(world.clerk, "register", f"{head}\n{unnumbered}\n"))
    waiting = _send(world.clerk, "register", f"{head}\n{unnumbered.replace(',1,在册', ',2,在册')}\n")
    assert waiting.state == "checked"
    person = Person.objects.get()
    request = identity.request_erasure(world.clerk, person_id=person.pk, reason="asked for it")
    with pytest.raises(Refusal) as refused:
        identity.erase_person(world.approver, request_id=request.pk)
    assert (refused.value.code, refused.value.more) == ("intake.waits", {"batch": waiting.pk})
    intake.refuse(world.approver, batch_id=waiting.pk, reason="the same person")
    assert identity.erase_person(world.approver, request_id=request.pk) == person.pk
    with pytest.raises(Refusal) as erased:
        identity.correct_identity(
            world.clerk, person_id=person.pk, values=identity.Values(name="马丽"), reason="once more"
        )
    assert erased.value.code == "register.erased"
    new = services.correct_person(world.approver, person_id=person.pk, sex=1, birth_month=None, reason="sex was wrong")
    with pytest.raises(Refusal) as again:
        identity.correct_identity(
            world.clerk, person_id=new.pk, values=identity.Values(name="马丽"), reason="under the new record"
        )
    assert again.value.code == "register.erased"
