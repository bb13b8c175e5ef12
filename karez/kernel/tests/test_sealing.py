"""Sealed values: opened by their key alone, never shown, never linked from area to area."""

from uuid import UUID

import pyarrow as pa
import pytest
from cryptography.exceptions import InvalidTag

from karez.intake.sealing import Sealer
from karez.kernel.sealing import SealingKey
from karez.kernel.spelling import folded_name

KEY, OTHER = SealingKey(b"a" * 32), SealingKey(b"b" * 32)


def test_only_the_key_opens_and_no_byte_may_differ() -> None:
    whose, others = UUID(int=1), UUID(int=2)
    sealed = KEY.seal_record({"name": "马小花", "id_number": "1"}, whose)
    with pytest.raises(InvalidTag):
        KEY.open_record(sealed, others)
    assert KEY.open_record(sealed, whose) == {"name": "马小花", "id_number": "1"}
    assert KEY.seal_record({"name": "马小花"}, whose) != KEY.seal_record({"name": "马小花"}, whose)
    with pytest.raises(InvalidTag):
        OTHER.open(sealed, whose.bytes)
    for place in (0, 5, len(sealed) - 1):
        with pytest.raises(InvalidTag):
            KEY.open(sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :], whose.bytes)


def test_a_name_is_not_followed_from_area_to_area() -> None:
    here, there = KEY.area_key(1), KEY.area_key(2)
    assert KEY.name_hash(here, "Ma  Xiaohua") == KEY.name_hash(here, "ma xiaohua ")
    assert KEY.name_hash(here, "Ma") != KEY.name_hash(there, "Ma")
    assert KEY.number_hash(" 64012219700101001x") == KEY.number_hash("64012219700101001X")
    assert KEY.number_hash("1") != OTHER.number_hash("1")


@pytest.mark.parametrize(
    "name",
    [
        "买买提·阿布都",
        "买买提•阿布都",
        "买买提‧阿布都",
        "买买提・阿布都",
        "买买提．阿布都",
        "买买提･阿布都",
        "买买提∙阿布都",
        "买买提⋅阿布都",
        "买买提.阿布都",
        "买买提 阿布都",
        "买买提\u3000阿布都",
        "买买提\u00a0阿布都",
        "买买提\u200b阿布都",
        "买买提\u3164阿布都",
        "买买提阿布都",
        "买买提˙阿布都",
        "买买提-阿布都",
        "买买提\u2014阿布都",
    ],
)
def test_a_name_is_one_name_whatever_its_dots(name: str) -> None:
    here = KEY.area_key(1)
    assert KEY.name_hash(here, name) == KEY.name_hash(here, "买买提·阿布都")
    sealed = Sealer(KEY).names(pa.array([name]), pa.array([1]))
    assert sealed.to_pylist() == ["\\x" + KEY.name_hash(here, name).hex()]


@pytest.mark.parametrize(
    "name",
    [
        "D'Arcy",
        "D\u2019Arcy",
        "D\u02bcArcy",
        "D\u2032Arcy",
        "D`Arcy",
        "D\u00b4Arcy",
        "D\uff07Arcy",
        "D\u02bbarcy",
        "ＤＡｒｃｙ",
        "d arcy",
    ],
)
def test_a_name_is_one_name_whatever_its_apostrophes(name: str) -> None:
    assert folded_name(name) == "darcy"


def test_other_names_stay_apart_and_signs_alone_are_something() -> None:
    assert len({folded_name(n) for n in ("王小明", "王晓明", "佐々木", "佐木", "〇一", "Ma2", "Ma3", "é", "e")}) == 9
    assert folded_name("··") == "··" != folded_name("")


def test_a_key_is_told_by_its_fingerprint_and_never_shown() -> None:
    assert len(KEY.fingerprint) == 16 and KEY.fingerprint != OTHER.fingerprint
    assert KEY.secret.hex() not in KEY.fingerprint
    assert repr(KEY) == str(KEY) == "SealingKey(...)"
