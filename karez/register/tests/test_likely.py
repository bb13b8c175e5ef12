"""What contradicts itself or looks like somebody on record is told by row, and asked about where it is entered by hand."""

from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from karez.intake import services as intake
from karez.kernel.id_number import check_character, disagreement
from karez.kernel.refusal import Refusal
from karez.register import identity, services
from karez.register.models import Person

JAN, BORN = date(2009, 1, 1), date(1970, 5, 1)
HEAD = "village,household_no,household_kind,person_no,relation,sex,birth_month,since,name,id_number\n"


def number(born: str, order: str) -> str:
    """A right number of a day of birth; an odd order is a man's."""
    first = f"990101{born}{order}"
    return first + check_character(first)


MAN_1970 = number("19700101", "003")


def _new(**words: Any) -> services.NewPerson:
    return services.NewPerson(**{"sex": 2, "birth_month": BORN, "relation": 0, "since": JAN, "name": "古丽娜"} | words)


def _sent(world: Any, text: str) -> Any:
    import io

    batch = intake.receive(world.clerk, sheet="register", file_name="r.csv", stream=io.BytesIO((HEAD + text).encode()))
    return intake.stage(batch.pk)


def _told(batch: Any, *, asks: bool = True) -> list[tuple[int, str, str]]:
    return list(batch.questions.filter(asks=asks).order_by("row_no", "rule").values_list("row_no", "rule", "found"))


@pytest.mark.parametrize(
    ("sex", "born", "how"),
    [
        (1, date(1970, 1, 1), ""),
        (0, None, ""),
        (9, date(1970, 1, 1), ""),
        (2, None, "sex"),
        (1, BORN, "month of birth"),
        (2, BORN, "and another sex"),
    ],
)
def test_what_a_number_says(sex: int, born: date | None, how: str) -> None:
    assert disagreement(MAN_1970, birth_month=born, sex=sex).endswith(how) and bool(how) == bool(
        disagreement(MAN_1970, birth_month=born, sex=sex)
    )


def test_a_file_tells_numbers_that_say_otherwise_and_persons_alike(committed_world: Any) -> None:
    world, village = committed_world, "990101100200"
    here = services.add_household(world.clerk, village_id=world.areas[village], household_no="W1", starts_on=JAN)
    services.add_person(world.clerk, household_id=here.pk, new=_new())
    row = f"{village},{{}},registered,1,head,female,1990-05,2009-01-01,{{}},{{}}\n"
    like = f"{village},{{}},registered,1,head,female,1970-05,2009-01-01,{{}},{{}}\n"
    text = (
        row.format("B1", "钱木兰", MAN_1970)
        + row.format("B2", "钱花", number("19900501", "004"))
        + like.format("W2", "古丽·娜", "")
    )
    text += (
        like.format("W3", "马小花", "")
        + like.format("W4", "马小花", "")
        + like.format("W5", "古丽娜", number("19700501", "002"))
    )
    batch = _sent(world, text)
    assert batch.state == "checked", list(batch.faults.values_list("row_no", "rule", "found"))
    assert _told(batch, asks=False) == [(2, "number_agrees", "the number says another month of birth and another sex")]
    assert batch.question_count == 3 and _told(batch) == [
        (4, "same_person_on_record", "the same name, sex and month of birth in household W1"),
        (6, "same_person_in_file", "the same name, sex and month of birth in household W3, row 5"),
        (7, "same_person_in_file", "the same name, sex and month of birth in household W2, row 4"),
        (7, "same_person_on_record", "the same name, sex and month of birth in household W1"),
    ]
    client = Client()
    client.force_login(world.clerk, backend="allauth.account.auth_backends.AuthenticationBackend")
    page = client.get(reverse("intake:batch", args=[batch.pk])).content.decode()
    assert "another month of birth and another sex" in page and "in household W1" in page and MAN_1970 not in page


def test_a_child_listed_again_in_its_household_is_asked_about_once_more_when_applied(committed_world: Any) -> None:
    """In one file, in two files checked before either is applied, and in a later one; whatever number in the household
    it is given.
    """
    world, row = committed_world, "990101100200,12,registered,{},{},1,{},2009-01-01,{},{}\n"
    head = row.format(1, "head", "1970-05", "马文", number("19700501", "003"))
    twice = _sent(
        world, head + row.format(2, "son", "1999-03", "马小龙", "") + row.format(3, "son", "1999-03", "马 小龙", "")
    )
    assert _told(twice) == [(4, "same_person_in_file", "the same name, sex and month of birth in household 12, row 3")]
    with pytest.raises(Refusal, match="confirm"):
        intake.decide(world.approver, batch_id=twice.pk)
    intake.refuse(world.approver, batch_id=twice.pk, reason="the child is listed twice")
    one = _sent(world, head + row.format(2, "son", "1999-03", "马小龙", "") + row.format(3, "son", "", "马大龙", ""))
    two = _sent(
        world,
        (row.format(1, "head", "1969-05", "马武", "") + row.format(4, "son", "1999-03", "马小龙", "")).replace(
            ",12,", ",13,"
        ),
    )
    assert [(b.state, b.question_count) for b in (one, two)] == [("checked", 0)] * 2
    intake.decide(world.approver, batch_id=one.pk)
    assert intake.run_apply(one.pk).state == "applied"
    intake.decide(world.approver, batch_id=two.pk)
    with pytest.raises(Refusal, match="by now"):
        intake.run_apply(two.pk)
    later = _sent(world, row.format(7, "son", "1999-03", "马小龙", "") + row.format(8, "son", "", "马大龙", ""))
    assert [(r, rule) for r, rule, _ in _told(later)] == [(2, "same_person_on_record"), (3, "same_person_on_record")]
    intake.confirm(world.clerk, batch_id=later.pk)  # twins of one name are lawful, and said to be
    intake.decide(world.approver, batch_id=later.pk)
    assert intake.run_apply(later.pk).state == "applied" and Person.objects.count() == 5


def test_by_hand_both_are_asked(world: Any) -> None:
    village = world.areas["990101100200"]
    one = services.add_household(world.clerk, village_id=village, household_no="1", starts_on=JAN)
    two = services.add_household(world.clerk, village_id=village, household_no="2", starts_on=JAN)
    person = services.add_person(world.clerk, household_id=one.pk, new=_new())
    with pytest.raises(Refusal, match="in household 1"):
        services.add_person(world.clerk, household_id=two.pk, new=_new(name="古丽 娜"))
    services.add_person(world.clerk, household_id=two.pk, new=_new(name="古丽 娜"), confirmed=True)
    with pytest.raises(Refusal, match="another month of birth and another sex"):
        services.add_person(world.clerk, household_id=two.pk, new=_new(name="马丽", relation=1, id_number=MAN_1970))
    address = reverse("register:act", args=[person.pk, "identity"])
    client = Client()
    client.force_login(world.clerk, backend="allauth.account.auth_backends.AuthenticationBackend")
    given = {"id_number": MAN_1970, "reason": "from the booklet"}
    back = client.post(address, given)
    assert back.status_code == 409 and 'type="checkbox" name="confirmed"' in back.content.decode()
    assert client.post(address, given | {"confirmed": "on"}).status_code == 302
    known = identity.open_identity(world.auditor, person_id=person.pk, purpose="test")
    assert known is not None and known.id_number == MAN_1970
    identity.correct_identity(
        world.clerk,
        person_id=person.pk,
        values=identity.Values(name="古丽娜", id_number=MAN_1970, phone="1"),
        reason="phone",
    )
    with pytest.raises(Refusal) as told:
        services.correct_person(
            world.approver, person_id=person.pk, sex=2, birth_month=date(1970, 1, 1), reason="month"
        )
    assert told.value.code == "register.number_disagrees" and MAN_1970 not in str(told.value)
    services.correct_person(world.approver, person_id=person.pk, sex=1, birth_month=date(1970, 1, 1), reason="both")
    assert Person.objects.get(voided_at=None, replaces_id=person.pk).sex == 1
