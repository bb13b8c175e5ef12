"""Names no column, form or import may have: this product records no ethnicity, religion, politics, attitude or body.

A register that holds such things can be turned against the people on it; so there is no place to put them. Whole words
are compared: `party_school` is denied, `counterparty` is not. Holds no list of values.
"""

import re
import unicodedata

# A word that begins so is denied: ethnic, ethnicity; religion, religious; political, politics; biometric, biometrics.
_BEGINNINGS = ("ethnic", "religi", "relig", "politic", "biometr", "ideolog")
_WORDS = frozenset(
    (
        "minzu", "nationality", "zongjiao", "faith", "creed", "party", "attitude", "attitudes", "loyalty", "race",
        "mosque", "sect", "fingerprint", "fingerprints", "iris", "dna", "gait", "faceprint", "voiceprint", "mianmao",
    )
)  # fmt: skip
# Chinese is written without blanks between words, so these are looked for anywhere in a heading.
_CHINESE = (
    "民族成分", "民族", "族别", "宗教", "信仰", "政治面貌", "政治", "党员", "党派", "团员", "思想表现", "态度",
    "指纹", "虹膜", "人脸", "声纹", "步态", "生物特征",
)  # fmt: skip
_SPLIT = re.compile(r"[^0-9a-z]+")
_BETWEEN = re.compile(r"[\W_]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def denied_word(name: str) -> str:
    """The word for which a column of this name is denied; empty where it is not."""
    # Signs nobody sees (soft hyphen, zero-width space) part no word.
    plain = "".join(c for c in unicodedata.normalize("NFKC", name) if unicodedata.category(c) != "Cf")
    joined = _BETWEEN.sub("", plain)
    for word in _CHINESE:
        if word in joined:
            return word
    for word in _SPLIT.split(_CAMEL.sub(" ", plain).lower()):
        if word in _WORDS or word.startswith(_BEGINNINGS):
            return word
    return ""
