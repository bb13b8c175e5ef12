"""The way of a batch: received, staged, checked, applied; refused; withdrawn; who may."""

from datetime import date, timedelta
from types import SimpleNamespace
from uuid import UUID

import pytest
from django.db import connection

from karez.intake import limits, queries, retention, services, vault
from karez.intake.models import State
from karez.intake.tests.conftest import FAR, VILLAGES, csv_of, faults_of, id_number, sent
from karez.kernel.refusal import Refusal
from karez.notices.models import Document


def test_a_file_goes_its_whole_way(county: SimpleNamespace) -> None:
    batch = sent(county, csv_of(50))
    assert (batch.state, batch.row_count, batch.fault_count, batch.trouble) == (State.CHECKED, 50, 0, "")
    assert batch.totals[0] == {"label": "people", "value": "50", "unit": ""}
    assert [b.pk for b in queries.waiting_for(county.approver)] == [batch.pk]
    assert list(queries.waiting_for(county.sender)) == []
    done = services.apply(county.approver, batch_id=batch.pk)
    assert (done.state, done.counts) == (State.APPLIED, {"documents": 50})
    rows = list(
        Document.objects.filter(batch_id=batch.pk)
        .order_by("subject_id")
        .values_list("subject_id", "title", "size_bytes", "area_id")
    )
    assert rows[0] == (2, "R0", 120050, county.ids[VILLAGES[0]])
    assert rows[-1][0] == 51
    assert services.run_apply(batch.pk).counts == {"documents": 50}
    assert Document.objects.count() == 50
    with connection.cursor() as cursor:
        cursor.execute("SELECT intake_staged_rows(%s)", [batch.pk])
        assert cursor.fetchone()[0] == -1


def test_staged_rows_hold_no_identity(county: SimpleNamespace) -> None:
    from django.conf import settings

    batch = sent(county, csv_of(3))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM staging.batch_{batch.pk} ORDER BY row_no")
        names = [c.name for c in cursor.description]
        row = dict(zip(names, cursor.fetchone(), strict=True))
    assert "name" not in names and "id_number" not in names
    key = settings.SEALING_KEY
    assert key.open_record(bytes(row["identity_sealed"]), UUID(bytes=bytes(row["identity_key"]))) == {
        "name": "马小军0",
        "id_number": id_number(0),
    }
    assert bytes(row["number_hash"]) == key.number_hash(id_number(0))
    assert bytes(row["name_hash"]) == key.name_hash(key.area_key(county.ids[VILLAGES[0]]), "马小军0")


def test_the_same_file_twice_is_recognised(county: SimpleNamespace) -> None:
    batch = sent(county, csv_of(2))
    with pytest.raises(Refusal) as refused:
        sent(county, csv_of(2), name="other.csv")
    assert refused.value.code == "intake.same_file"
    assert refused.value.more["batch"] == batch.pk
    services.refuse(county.sender, batch_id=batch.pk, reason="sent by mistake")
    assert sent(county, csv_of(2)).state == State.CHECKED


def test_the_sender_does_not_apply(county: SimpleNamespace) -> None:
    batch = sent(county, csv_of(2))
    with pytest.raises(Refusal) as refused:
        services.apply(county.sender, batch_id=batch.pk)
    assert refused.value.code == "intake.same_person"
    with pytest.raises(Exception, match="sent by the same person"), connection.cursor() as cursor:
        cursor.execute("SELECT intake_decide(%s, %s)", [batch.pk, county.sender.pk])


def test_who_may_send_see_and_apply(county: SimpleNamespace) -> None:
    with pytest.raises(Refusal) as refused:
        sent(county, csv_of(2), by="approver")
    assert refused.value.code == "access.not_granted"
    batch = sent(county, csv_of(2))
    for person in (county.stranger, county.far_approver, county.admin):
        with pytest.raises(Refusal) as refused:
            services.apply(person, batch_id=batch.pk)
        assert refused.value.code == "access.not_granted"
        with pytest.raises(Refusal) as refused:
            queries.batch_for(person, batch.pk)
        assert refused.value.code == "not_found"
        with pytest.raises(Refusal):
            list(queries.faults_csv(person, batch.pk))
    assert queries.batch_for(county.second, batch.pk) == batch


def test_rows_of_another_county_are_faults(county: SimpleNamespace) -> None:
    text = csv_of(2) + f"R9,{FAR},李,,1,,\n"
    batch = sent(county, text)
    assert batch.state == State.FAULTY
    assert faults_of(batch) == [(4, "village", "area_scope")]


def test_refusing_needs_a_reason_and_ends_it(county: SimpleNamespace) -> None:
    batch = sent(county, csv_of(2))
    with pytest.raises(Refusal):
        services.refuse(county.approver, batch_id=batch.pk, reason=" ")
    assert services.refuse(county.approver, batch_id=batch.pk, reason="wrong month").state == State.REFUSED
    with pytest.raises(Refusal) as refused:
        services.apply(county.approver, batch_id=batch.pk)
    assert refused.value.code == "intake.wrong_state"


def test_a_withdrawal_takes_two_people_and_no_building_on_it(county: SimpleNamespace) -> None:
    batch = sent(county, csv_of(3))
    services.apply(county.approver, batch_id=batch.pk)
    with pytest.raises(Refusal):
        services.withdraw(county.approver, batch_id=batch.pk)
    services.ask_withdrawal(county.approver, batch_id=batch.pk, reason="a file of last year")
    with pytest.raises(Refusal) as refused:
        services.withdraw(county.approver, batch_id=batch.pk)
    assert refused.value.code == "intake.same_person"
    built = Document.objects.create(
        kind="built on toy",
        subject_id=batch.pk,
        area_id=1,
        name="n",
        title="t",
        media_type="m",
        size_bytes=0,
        digest="",
        vault_ref="",
        recorded_by_id=1,
    )
    with pytest.raises(Refusal) as refused:
        services.withdraw(county.second, batch_id=batch.pk)
    assert refused.value.code == "intake.built_on"
    with connection.cursor() as cursor:
        cursor.execute(
            (
                "UPDATE notices_document SET voided_at=now(), voided_by_id=1, void_reason='x', "
                "void_counts_on='2009-01-01' WHERE id=%s"
            ),
            [built.pk],
        )
    with pytest.raises(Refusal) as refused:
        services.withdraw(county.far_approver, batch_id=batch.pk)
    assert refused.value.code == "access.not_granted"
    assert services.withdraw(county.second, batch_id=batch.pk).state == State.WITHDRAWN
    assert Document.objects.filter(batch_id=batch.pk, voided_at=None).count() == 0
    assert Document.objects.filter(batch_id=batch.pk, voided_by_id=county.second.pk).count() == 3
    assert sent(county, csv_of(3)).state == State.CHECKED


def test_a_file_is_deleted_when_its_day_has_come(county: SimpleNamespace) -> None:
    batch = sent(county, csv_of(3))
    waiting = sent(county, csv_of(4))
    services.apply(county.approver, batch_id=batch.pk)
    assert retention.delete_old_files(date.today()) == 0
    later = date.today() + timedelta(days=limits.KEEP_DAYS)
    assert retention.delete_old_files(later) == 1
    with pytest.raises(FileNotFoundError):
        list(vault.chunks(batch.vault_ref))
    assert next(vault.chunks(waiting.vault_ref))


def test_a_faulty_file_goes_with_its_day(county: SimpleNamespace) -> None:
    faulty = sent(county, csv_of(3).replace("2009-03-10", "soon"))
    assert faulty.state == State.FAULTY
    later = date.today() + timedelta(days=limits.KEEP_DAYS)
    assert retention.delete_old_files(later) == 1
    with pytest.raises(FileNotFoundError):
        list(vault.chunks(faulty.vault_ref))


def test_a_file_can_be_checked_again(county: SimpleNamespace) -> None:
    batch = sent(county, csv_of(3))
    with pytest.raises(Refusal) as refused:
        services.check_again(county.far_approver, batch_id=batch.pk)
    assert refused.value.code == "access.not_granted"
    assert services.check_again(county.approver, batch_id=batch.pk).state == State.CHECKED
    assert services.check_again(county.sender, batch_id=batch.pk, queue=True).state == State.CHECKED
    services.apply(county.approver, batch_id=batch.pk)
    with pytest.raises(Refusal) as refused:
        services.check_again(county.sender, batch_id=batch.pk)
    assert refused.value.code == "intake.wrong_state"


def test_a_sender_who_lost_the_right_stops_the_batch(county: SimpleNamespace) -> None:
    batch, decided = sent(county, csv_of(3)), sent(county, csv_of(4))
    services.decide(county.approver, batch_id=decided.pk)
    county.sender.is_active = False
    county.sender.save()
    for act in (lambda: services.apply(county.approver, batch_id=batch.pk), lambda: services.run_apply(decided.pk)):
        with pytest.raises(Refusal) as refused:
            act()
        assert refused.value.code == "intake.sender_without_right"
        assert "refuse the batch" in refused.value.todo
    decided.refresh_from_db()
    assert decided.state == State.CHECKED and "has no role over some of its places" in decided.trouble
    assert not Document.objects.exists()
    services.refuse(county.approver, batch_id=batch.pk, reason="the sender left")
