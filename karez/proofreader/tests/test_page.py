"""The public proofreader's page: without sign-in, nothing kept, limited by address, every answer as a download."""

import csv
import io
import json
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from python_calamine import CalamineWorkbook

from karez.access import visitor_calls as proof_limit
from karez.access.models import VisitorCall
from karez.proofreader import upload as proof_upload
from karez.proofreader import views as proof_views
from karez.proofreader.proof import DATA, proof, proof_of
from karez.system import paths

pytestmark = pytest.mark.django_db
XINJIANG = (DATA / "xinjiang-2009.csv").read_bytes()
RULES = (DATA / "xinjiang-2009.rules.csv").read_bytes()


@pytest.fixture
def visitor(db):
    return Client(headers={"accept-language": "en"})


def send(visitor, figures=XINJIANG, rules=RULES, name="chapter.csv"):
    files = {"figures": SimpleUploadedFile(name, figures)}
    if rules is not None:
        files["rules"] = SimpleUploadedFile("rules.csv", rules)
    return visitor.post(reverse("proofreader:proof"), files)


def long_chapter(count):
    rows = [(DATA / "ningxia-2009.csv").read_text("utf-8").splitlines()[0]]
    rows += [f"a{n},s,l,{n},persons,exact,1,2009,64,flow,p,,false" for n in range(count)]
    rows += [f"t{n},s,l,{n + (n % 100 == 0)},persons,exact,1,2009,64,flow,p,a{n},false" for n in range(count)]
    return "\n".join(rows).encode()


def test_the_form_is_for_everyone(visitor):
    answer = visitor.get(reverse("proofreader:proof"))
    assert answer.status_code == 200
    text = answer.content.decode()
    assert "Worked examples" in text and "/proof/example/ningxia-2009/" in text
    assert "style=" not in text.split("<main", 1)[1] and "onclick" not in text


def test_a_chapter_is_judged(visitor):
    answer = send(visitor)
    text = " ".join(answer.content.decode().split())
    assert answer.status_code == 200
    assert "<strong>16</strong> of <strong>20</strong> identities hold." in text
    assert "Rules broken: 3." in text
    assert text.index('id="fail"') < text.index('id="pass_if_rounded"') < text.index('id="exact"')
    assert "the printed figure were 73.988" in text
    assert "one person may attend many times" in text
    assert answer["Cache-Control"].startswith("max-age=0")


@pytest.mark.parametrize(("name", "held"), [("ningxia-2009", "11"), ("xinjiang-2009", "16")])
def test_the_examples_are_one_click_away(visitor, name, held):
    text = visitor.get(reverse("proofreader:proof_example", args=[name])).content.decode()
    assert f"<strong>{held}</strong>" in text
    assert (
        visitor.get(reverse("proofreader:proof_example_file", args=[name])).content
        == (DATA / f"{name}.csv").read_bytes()
    )
    assert visitor.get(reverse("proofreader:proof_example", args=["other"])).status_code == 404


def test_malformed_files_are_told_by_line_and_column(visitor):
    text = send(visitor, XINJIANG.replace(b",345,", b",345 villages,", 1), None).content.decode()
    assert "Faults in the file" in text and "&#x27;345 villages&#x27;" in text
    text = send(visitor, b"\xff\xfe\x00", None).content.decode()
    assert "text in UTF-8 or GB 18030" in text and "No identity could be judged." in text


def test_markup_in_a_file_stays_text(visitor):
    text = send(visitor, XINJIANG.replace(b"persons", b"<script>x</script>"), None, "<b>.csv").content.decode()
    assert "<script>x" not in text and "<b>.csv" not in text


def test_chinese(visitor):
    answer = Client(headers={"accept-language": "zh-hans"}).get(
        reverse("proofreader:proof_example", args=["xinjiang-2009"])
    )
    text = answer.content.decode()
    assert "不成立" in text and "人次" in text and "identities hold" not in text


def kept(text, name="kept"):
    return text.split(f'name="{name}" value="', 1)[1].split('"', 1)[0]


def test_what_was_read_as_gb18030_is_told(visitor):
    told = "read as GB 18030"
    assert (
        told
        in send(visitor, figures=XINJIANG.replace(b"money from IFAD", "地区".encode("gb18030"), 1)).content.decode()
    )
    assert told not in send(visitor).content.decode()


@pytest.mark.parametrize("form", ["json", "csv", "xlsx"])
def test_downloads_judge_again_what_the_page_carried(visitor, form):
    page = send(visitor).content.decode()
    words = {"kept": kept(page), "kept_rules": kept(page, "kept_rules"), "form": form}
    answer = visitor.post(reverse("proofreader:proof_download"), words)
    assert answer["Content-Disposition"] == f'attachment; filename="proof.{form}"'
    if form == "json":
        assert json.loads(answer.content) == json.loads(json.dumps(proof_of(XINJIANG, RULES).as_dict()))
    elif form == "csv":
        rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert [r["part"] for r in rows].count("identity") == 20 and rows[0]["verdict"] == "fail"
    else:
        book = CalamineWorkbook.from_filelike(io.BytesIO(answer.content))
        assert book.sheet_names == ["Summary", "Identities", "Relations", "Units", "Faults"]
        assert len(book.get_sheet_by_index(1).to_python()) == 21


@pytest.mark.parametrize("kept", ["%%%", "AAAA", "eJwDAAAAAAE", "é"])
def test_what_the_page_did_not_carry_is_refused(visitor, kept):
    answer = visitor.post(reverse("proofreader:proof_download"), {"kept": kept, "form": "json"})
    assert answer.status_code == 400


def test_a_packed_bomb_is_refused(visitor):
    bomb = proof_upload.packed(b"x" * 50_000_000)
    assert visitor.post(reverse("proofreader:proof_download"), {"kept": bomb, "form": "csv"}).status_code == 400


def test_formulas_in_a_download_are_harmless(visitor):
    data = long_chapter(1).replace(b",a0,", b",-a0,")
    page = send(visitor, data, None).content.decode()
    answer = visitor.post(reverse("proofreader:proof_download"), {"kept": kept(page), "form": "csv"})
    assert "'-a0" in answer.content.decode()


def test_a_long_proof_tells_how_far_it_is(visitor):
    answer = send(visitor, long_chapter(3000), None)
    assert answer.streaming
    text = "".join(piece.decode() for piece in answer.streaming_content)
    assert (
        text.index("<li>10&nbsp;%")
        < text.index("<li>90&nbsp;%")
        < text.index("<strong>2,970</strong> of <strong>3,000</strong>")
    )
    assert text.rstrip().endswith("</html>")
    assert "more are in the downloads" in text and "csrfmiddlewaretoken" in text.split('class="proofed"')[1]


def test_a_proof_that_takes_too_long_is_ended(visitor, monkeypatch):
    monkeypatch.setattr(proof_views, "SECONDS", 0)
    monkeypatch.setattr(proof_views, "_running", proof_views.threading.BoundedSemaphore(1))
    assert send(visitor).status_code == 503
    text = "".join(piece.decode() for piece in send(visitor, long_chapter(3000), None).streaming_content)
    assert "more than a minute" in text


def test_only_so_many_at_once(visitor, monkeypatch):
    monkeypatch.setattr(proof_views, "SECONDS", 0)
    busy = proof_views.threading.BoundedSemaphore(1)
    busy.acquire()
    monkeypatch.setattr(proof_views, "_running", busy)
    answer = send(visitor)
    assert answer.status_code == 503 and "Other proofs" in answer.content.decode()


def test_no_file_and_a_large_file(visitor):
    assert visitor.post(reverse("proofreader:proof"), {}).status_code == 400
    assert send(visitor, b"x" * (proof_upload.MAX_BYTES + 1), None).status_code == 413
    assert send(visitor, b"x" * (proof_upload.MAX_BODY + 1), None).status_code == 413


def test_the_token_is_asked(db):
    strict = Client(enforce_csrf_checks=True)
    assert send(strict).status_code == 403
    assert strict.post(reverse("proofreader:proof_download"), {"form": "json"}).status_code == 403


def test_an_address_may_ask_so_often(visitor, monkeypatch):
    monkeypatch.setattr(proof_limit, "CALLS", 2)
    assert [send(visitor).status_code for _ in range(3)] == [200, 200, 429]
    answer = visitor.post(reverse("proofreader:proof_download"), {"form": "json"})
    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= proof_limit.WINDOW_SECONDS
    assert "Too many proofs" in answer.content.decode()
    assert visitor.post(reverse("proofreader:proof"), {}, REMOTE_ADDR="192.0.2.7").status_code == 400
    assert visitor.get(reverse("proofreader:proof_example", args=["ningxia-2009"])).status_code == 200


def test_old_windows_are_forgotten_and_addresses_are_not_kept(visitor, rf):
    now = proof_limit.datetime(2030, 1, 1, tzinfo=proof_limit.UTC)
    request = rf.get("/", REMOTE_ADDR="192.0.2.9")
    assert proof_limit.wait_seconds(request, now) == 0
    assert proof_limit.wait_seconds(request, now.replace(hour=1)) == 0
    (call,) = VisitorCall.objects.all()
    assert call.calls == 1 and "192" not in call.address_digest


def everything_written(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file() and "pg" not in path.relative_to(folder).parts[:1]}


def test_nothing_is_kept(visitor, monkeypatch, django_assert_num_queries):
    """No file is opened for writing, none appears in the data folder, and the database has a count only."""
    opened = []
    real = io.open

    def watched(file, mode="r", *args, **words):
        if any(letter in mode for letter in "wax+"):
            opened.append(file)
        return real(file, mode, *args, **words)

    monkeypatch.setattr("builtins.open", watched)
    monkeypatch.setattr("tempfile.NamedTemporaryFile", lambda *_a, **_w: opened.append("temporary"))
    before = everything_written(paths.VAR)
    marked = long_chapter(40_000)[: proof_upload.MAX_BYTES]  # larger than what Django keeps in memory by itself
    assert len(marked) > 2 * 1024 * 1024
    answer = send(visitor, marked.rsplit(b"\n", 1)[0], None)
    text = b"".join(answer.streaming_content).decode()
    assert "identities hold" in text
    visitor.post(reverse("proofreader:proof_download"), {"kept": kept(send(visitor).content.decode()), "form": "xlsx"})
    assert opened == []
    assert everything_written(paths.VAR) == before
    assert VisitorCall.objects.count() == 1


def test_the_command_and_the_page_agree():
    assert proof(DATA / "xinjiang-2009.csv").as_dict() == proof_of(XINJIANG, RULES).as_dict()
