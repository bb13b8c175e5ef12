"""A proof as a file, and the command that writes it."""

import json

import pytest
from click.testing import CliRunner

from karez.cli import proof as _registers  # noqa: F401
from karez.cli.program import karez
from karez.proofreader.export import export, summary_rows
from karez.proofreader.proof import DATA, proof


def run(*words):
    return CliRunner().invoke(karez, ["proof", *map(str, words)], standalone_mode=False)


@pytest.mark.parametrize(("name", "code"), [("ningxia-2009", 0), ("xinjiang-2009", 1)])
def test_the_command_prints_writes_and_answers(name, code, tmp_path):
    out = tmp_path / "answer.json"
    ran = run(DATA / f"{name}.csv", "--out", out, "--format", "json")
    assert ran.return_value == code
    assert json.loads(out.read_text("utf-8")) == json.loads(json.dumps(proof(DATA / f"{name}.csv").as_dict()))
    assert list(json.loads(out.read_text("utf-8")))[:3] == ["identities", "relations", "faults"]


def test_the_table_has_the_sentences():
    printed = run(DATA / "xinjiang-2009.csv", "--format", "csv").stdout
    assert "It would hold if the printed figure were 73.988" in printed
    assert "one person may attend many times" in printed


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_the_form_follows_the_name(form, tmp_path):
    run(DATA / "ningxia-2009.csv", "--out", tmp_path / f"answer.{form}")
    start = (tmp_path / f"answer.{form}").read_bytes()[:4]
    assert start == (b"PK\x03\x04" if form == "xlsx" else b"\xef\xbb\xbfp")


def test_unusable_input_is_two(tmp_path):
    (tmp_path / "bad.csv").write_text("id\nx\n")
    assert run(tmp_path / "bad.csv").return_value == 2
    assert "which says how to write it" in str(run(DATA / "ningxia-2009.csv", "--out", tmp_path / "a.pdf").exception)


def test_a_file_that_is_no_utf8_is_told_beside_the_answer(tmp_path):
    text = (DATA / "ningxia-2009.csv").read_text("utf-8")
    (tmp_path / "a.csv").write_bytes(text.replace("fund_investment", "资金投入").encode("gb18030"))
    (tmp_path / "b.csv").write_bytes(text.replace("fund_investment", "资金投入").encode())
    other, plain = run(tmp_path / "a.csv", "--format", "json"), run(tmp_path / "b.csv", "--format", "json")
    assert "Read as GB 18030, not UTF-8: figures." in other.stderr and "GB 18030" not in plain.stderr
    assert json.loads(other.stdout) == json.loads(plain.stdout)


def test_the_summary_counts():
    counts = dict(summary_rows(proof(DATA / "xinjiang-2009.csv")))
    assert (counts["Identities judged"], counts["Identities that hold"], counts["Relations broken"]) == (20, 16, 3)
    assert len(export(proof(DATA / "xinjiang-2009.csv"), "csv").splitlines()) == 1 + 20 + 17 + 3
