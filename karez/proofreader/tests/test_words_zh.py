"""Every sentence of the proofreader has its Chinese, with the same places for values."""

import io
import re
from pathlib import Path

import pytest
from babel.messages.extract import extract
from django.utils import translation
from django.utils.translation.template import templatize

from karez.kernel import formula
from karez.kernel.messages import Message, say
from karez.proofreader import proof

ROOM = Path(proof.__file__).parent
FILES = [
    Path(formula.__file__),
    ROOM / "chapter_file.py",
    ROOM / "chapter_workbook.py",
    *sorted(ROOM.glob("proof*.py")),
]
PAGES = sorted((ROOM / "templates" / "proofreader").glob("proof*.html"))
KEYWORDS = {"say": None, "_": None, "gettext": None, "gettext_lazy": None}
SAME = {"%(number)s", "%(number)s %(unit)s"}


def messages():
    for path in FILES:
        for _line, message, _notes, _context in extract("python", io.BytesIO(path.read_bytes()), keywords=KEYWORDS):
            yield message
    for path in PAGES:
        text = templatize(path.read_text("utf-8"))
        for _line, message, _notes, _context in extract("javascript", io.BytesIO(text.encode()), keywords=KEYWORDS):
            yield message


def test_every_message_is_translated():
    found = {message for message in messages() if message} - SAME
    assert len(found) > 150
    with translation.override("zh-hans"):
        missing = [message for message in found if translation.gettext(message) == message]
        assert not missing, missing
        places = {m: (re.findall(r"%\((\w+)\)s", m), re.findall(r"%\((\w+)\)s", translation.gettext(m))) for m in found}
    assert not {m for m, (here, there) in places.items() if sorted(here) != sorted(there)}


def test_words_are_told_in_the_active_language():
    both = say("{first}, or if {second}", first=say("part of {id}", id="x"), second="y")
    assert both == "part of x, or if y"
    assert str(both) == both
    with translation.override("zh-hans"):
        assert str(both) == "x 的一部分，或y"
        assert "plain %s" == "plain %s"


@pytest.mark.parametrize("text", ["100%", "%(x)s", "%"])
def test_signs_of_percent_in_values_are_kept(text):
    assert say("the {unit}", unit=text) == f"the {text}"
    assert isinstance(say(text), Message) and str(say(text)) == text
