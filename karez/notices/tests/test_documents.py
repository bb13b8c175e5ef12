"""Documents: attached, opened by who may, encrypted on disk, refused where they are of another kind."""

import io
import zipfile
import zlib
from types import SimpleNamespace

import pytest
from cryptography.exceptions import InvalidTag
from django.db import connection
from django.test import Client

from karez.intake import vault
from karez.intake.tests.conftest import make_county
from karez.kernel.refusal import Refusal
from karez.kernel.tests.work import calls
from karez.notices import queries, running, services
from karez.notices.models import Document

PDF = b"%PDF-1.7 the receipt of " + b"x" * 3_000_000


@pytest.fixture
def county(db: None) -> SimpleNamespace:
    return make_county()


def attach(county: SimpleNamespace, content: bytes = PDF, name: str = "../receipt.pdf", by: str = "sender") -> Document:
    return services.attach(
        getattr(county, by),
        kind="voucher",
        subject_id=7,
        area_id=county.ids["640422"],
        name=name,
        stream=io.BytesIO(content),
    )


def test_a_document_is_kept_and_opened(county: SimpleNamespace) -> None:
    made = attach(county)
    assert (made.name, made.title, made.media_type, made.size_bytes) == (
        "receipt.pdf",
        "receipt.pdf",
        "application/pdf",
        len(PDF),
    )
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


@pytest.mark.parametrize(
    ("content", "name"), [(b"", "a.pdf"), (b"MZ\0", "a.pdf"), (b"PK\x03\x04", "a.zip"), (b"\xff\xfe", "a.txt")]
)
def test_other_kinds_are_refused(county: SimpleNamespace, content: bytes, name: str) -> None:
    with pytest.raises(Refusal) as told:
        attach(county, content, name)
    assert told.value.code == "notices.unknown_type"


def package(*names: str, kind: str = "word/document.xml", told: str = "") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", f"<Types>{told}</Types>")
        for name in (kind, *names):
            archive.writestr(name, told if name.endswith(".rels") else "<x/>")
    return out.getvalue()


_ARCHIVE = package()
_PNG = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\0IEND\xaeB`\x82"
_TEMPLATE = '<Relationship Type="http://x/attachedTemplate" Target="http://elsewhere/t.dotm" TargetMode="External"/>'


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"<html><script>alert(1)</script>", "a.html"),
        (b"\xef\xbb\xbf  <!DOCTYPE html><p>", "a.txt"),
        (b"<?xml version='1.0'?><a/>", "a.xml"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>", "a.png"),
        (b"words\n<SCRIPT src=x>", "a.txt"),
        (b"#!/bin/sh\nrm -r x\n", "a.txt"),
        (b"%PDF-1.7\n1 0 obj <</S/JavaScript/JS(app.alert(1))>>", "a.pdf"),
        (b"%PDF-1.7\n<</S/#4aavaScript>>", "a.pdf"),
        (
            b"%PDF-1.7\n<</Filter/FlateDecode>>stream\n"
            + zlib.compress(b"<</Type/Action/S/Launch/F(x.exe)>>")
            + b"\nendstream",
            "a.pdf",
        ),
        (b"%PDF-1.7\n<</Type/EmbeddedFile>>", "a.pdf"),
        (b"%PDF-1.7\n%%EOF\n" + _ARCHIVE, "a.pdf"),
        (_PNG + _ARCHIVE, "a.png"),
        (_PNG + b"<script>", "a.png"),
        (b"\xff\xd8\xff\xe0" + _ARCHIVE, "a.jpg"),
        (package("word/vbaProject.bin"), "a.docx"),
        (package("xl/vbaProject.bin", kind="xl/workbook.xml"), "a.xlsx"),
        (package(told='<Override ContentType="application/vnd.ms-word.document.macroEnabled.main+xml"/>'), "a.docx"),
        (package("word/embeddings/oleObject1.bin"), "a.docx"),
        (package("word/_rels/settings.xml.rels", told=_TEMPLATE), "a.docx"),
        (package("word/_rels/settings.xml.RELS", told=_TEMPLATE.replace("Target", "\nTarget")), "a.docx"),
        (b"%PDF-1.7\n1 0 obj <</S/Rendition/#4a#53(x)>>", "a.pdf"),
        (
            b"%PDF-1.7\n1 0 obj<</N 1/First 4/#46irst 4>>stream\n" + zlib.compress(b"7 0 <</JS(x)>>") + b"\nendstream",
            "a.pdf",
        ),
        (
            b"%PDF-1.7\n1 0 obj<</N 1/#46irst 4/Subtype/Image>>stream\n"
            + zlib.compress(b"%a\n7 0 <</JS(x)>>")
            + b"\nendstream",
            "a.pdf",
        ),
        (b"%PDF-1.7\n" + b"stream\n" * 110_000, "a.pdf"),
        (b"%PDF-1.7\n1 0 obj<<>>stream\n" + zlib.compress(b"\0" * (running.MOST + 1), 9), "a.pdf"),
    ],
)
def test_nothing_that_runs_is_kept(county: SimpleNamespace, content: bytes, name: str) -> None:
    with pytest.raises(Refusal) as told:
        attach(county, content, name)
    assert told.value.code == "notices.runs"
    assert not Document.objects.exists()


@pytest.mark.parametrize(
    ("content", "sent", "kept", "kind"),
    [
        (PDF, "receipt.pdf.html", "receipt.pdf.pdf", "application/pdf"),
        (PDF, "a\u202efdp.exe", "afdp.pdf", "application/pdf"),
        (_PNG, "x.svg", "x.png", "image/png"),
        (package(), "list.xlsx", "list.docx", services.kind_of("", package())),
        (
            package(kind="xl/workbook.xml"),
            "list.html",
            "list.xlsx",
            services.kind_of("", package(kind="xl/workbook.xml")),
        ),
        ("1 < 2，收据".encode(), "note.js", "note.txt", "text/plain"),
        (b"a,b\n1,2\n", "t.csv", "t.csv", "text/plain"),
        (b"\xff\xd8\xff\xe0 ... \xff\xd9", "..", "document.jpg", "image/jpeg"),
    ],
)
def test_a_document_is_handed_out_as_what_it_is(
    county: SimpleNamespace, content: bytes, sent: str, kept: str, kind: str
) -> None:
    made = attach(county, content, sent)
    assert (made.name, made.media_type) == (kept, kind)
    client = Client()
    client.force_login(county.approver, backend="allauth.account.auth_backends.AuthenticationBackend")
    answer = client.get(f"/documents/{made.pk}/")
    assert answer["Content-Type"] == kind
    assert answer["Content-Disposition"].startswith("attachment")
    assert kept in answer["Content-Disposition"]
    assert (answer["X-Content-Type-Options"], answer["Content-Security-Policy"]) == (
        "nosniff",
        "default-src 'none'; sandbox",
    )
    assert b"".join(answer.streaming_content) == content


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


def test_a_scan_is_no_program_by_chance(county: SimpleNamespace) -> None:
    noise = b"\x17/JS\x80 /JS( \x91/XFA\x03" * 50
    scan = (
        b"%PDF-1.7\n4 0 obj<</Subtype/Image/Filter/DCTDecode>>\nstream\n"
        + noise
        + b"\nendstream\nendobj\n5 0 obj<</Type/XObject/Subtype/Image/Filter/FlateDecode>>stream\r\n"
    )
    assert (
        attach(county, scan + zlib.compress(noise * 10) + b"\nendstream\nendobj\n%%EOF").media_type == "application/pdf"
    )


def test_looking_into_documents_grows_with_their_bytes(county: SimpleNamespace) -> None:
    def pdf(marks: int) -> bytes:
        return b"%PDF-1.7\n" + b"/OpenAction<<stream\nx\x9c\xff" * marks

    small, large = (calls(lambda many=many: services.kind_of("a.pdf", pdf(many))) for many in (500, 5000))  # type: ignore[misc]
    assert large < 11 * small
    assert running._unpacked(memoryview(b"x\x9c\xff" + bytes(10**6)), running.MOST)[1] < 2000
    for told in (
        "<Relationships>" + 'attachedTemplate TargetMode="External" ' * 20_000,
        "<Relationships " + "a" * 1_000_000,
        "<a/>" * 1_200_000,
        "<!DOCTYPE a><a/>",
    ):
        with pytest.raises(Refusal) as refused:
            attach(county, package("word/_rels/document.xml.rels", told=told), "a.docx")
        assert refused.value.code == "notices.unknown_type"
    lawful = (
        '<Relationships><Relationship Type="http://x/hyperlink" Target="http://x/" '
        'TargetMode="External"/><Relationship Type="x/frame" Target="f.xml"/></Relationships>'
    )
    assert attach(county, package("word/_rels/document.xml.rels", told=lawful), "a.docx").name == "a.docx"
