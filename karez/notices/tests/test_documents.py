"""Documents: attached, opened by who may, encrypted on disk, refused where they are of another kind."""

import io
from types import SimpleNamespace

import pytest
from cryptography.exceptions import InvalidTag
from django.db import connection

from karez.intake import vault
from karez.intake.tests.conftest import make_county
from karez.kernel.refusal import Refusal
from karez.notices import queries, services
from karez.notices.models import Document

PDF = b"%PDF-1.7 the receipt of " + b"x" * 3_000_000


@pytest.fixture
def county(db: None) -> SimpleNamespace:
    return make_county()


def attach(county: SimpleNamespace, content: bytes = PDF, name: str = "../receipt.pdf", by: str = "sender") -> Document:
    return services.attach(
        getattr(county, by), kind="voucher", subject_id=7, area_id=county.ids["640422"], name=name, stream=io.BytesIO(content)
    )


def test_a_document_is_kept_and_opened(county: SimpleNamespace) -> None:
    made = attach(county)
    assert (made.name, made.title, made.media_type, made.size_bytes) == ("receipt.pdf", "receipt.pdf", "application/pdf", len(PDF))
    assert b"".join(queries.content(county.approver, made.pk)) == PDF
    assert [d.pk for d in queries.documents_of(county.second, "voucher", 7)] == [made.pk]
    assert b"receipt" not in vault._path(made.vault_ref).read_bytes()


def test_who_may_not(county: SimpleNamespace) -> None:
    made = attach(county)
    for person in (county.stranger, county.far_approver, county.admin):
        with pytest.raises(Refusal) as told:
            queries.document_for(person, made.pk)
        assert told.value.code == "not_found"
        assert not queries.documents_of(person, "voucher", 7).exists()
    with pytest.raises(Refusal) as told:
        attach(county, by="stranger")
    assert told.value.code == "access.not_granted"


@pytest.mark.parametrize(("content", "name"), [(b"", "a.pdf"), (b"MZ\0", "a.pdf"), (b"PK\x03\x04", "a.zip"), (b"\xff\xfe", "a.txt")])
def test_other_kinds_are_refused(county: SimpleNamespace, content: bytes, name: str) -> None:
    with pytest.raises(Refusal) as told:
        attach(county, content, name)
    assert told.value.code == "notices.unknown_type"


def test_a_script_is_plain_text_at_most(county: SimpleNamespace) -> None:
    assert attach(county, b"<html><script>alert(1)</script>", "a.html").media_type == "text/plain"


@pytest.mark.parametrize("harm", ["flip", "cut", "swap"])
def test_a_kept_file_cannot_be_changed(county: SimpleNamespace, harm: str) -> None:
    made = attach(county)
    path = vault._path(made.vault_ref)
    sealed, chunk = path.read_bytes(), 12 + vault.VAULT_CHUNK + 16
    first, second, rest = sealed[20 : 20 + chunk], sealed[20 + chunk : 20 + 2 * chunk], sealed[20 + 2 * chunk :]
    path.write_bytes(
        {
            "flip": sealed[:-1] + bytes([sealed[-1] ^ 1]),
            "cut": sealed[: 20 + 2 * chunk],
            "swap": sealed[:20] + second + first + rest,
        }[harm]
    )
    with pytest.raises(InvalidTag):
        b"".join(vault.chunks(made.vault_ref))


def test_documents_are_not_changed(county: SimpleNamespace) -> None:
    attach(county)
    with pytest.raises(Exception, match="permission denied"), connection.cursor() as cursor:
        cursor.execute("UPDATE notices_document SET title = 'x'")
