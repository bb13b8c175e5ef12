"""Rare letters that GB 18030 once had no Unicode letter for, against the machine's own decoder. What files make of
them: intake.
"""

import shutil
import subprocess

import pytest

from karez.kernel import encodings


def _is_glibc() -> bool:
    """Whether the tables of later editions are there: another iconv may keep those of the year 2000."""
    return (
        shutil.which("iconv") is not None
        and "GLIBC" in subprocess.run(["iconv", "--version"], capture_output=True, text=True, check=False).stdout
    )


@pytest.mark.skipif(not _is_glibc(), reason="needs the GNU C library's iconv")
def test_private_characters_are_the_letters_the_c_library_has_for_their_bytes() -> None:
    packed = b"".join(encodings.packed_as(ord(private)) for private in encodings.PRIVATE)
    decoded = subprocess.run(
        ["iconv", "-f", "GB18030", "-t", "UTF-8"], input=packed, capture_output=True, check=True
    ).stdout.decode()
    wrong = {
        f"U+{ord(p):04X}": (ours, theirs)
        for p, ours, theirs in zip(encodings.PRIVATE, encodings.LETTERS, decoded, strict=True)
        if ours != theirs
    }
    assert len(encodings.PRIVATE) == 90 and not wrong
