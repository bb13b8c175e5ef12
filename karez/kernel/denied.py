"""Names no column, form or import may have: this product records no ethnicity, religion, politics, attitude or body.

A register that holds such things can be turned against the people on it; so there is no place to put them. Whole words
are compared: `party_school` is denied, `counterparty` is not. Holds no list of values.
"""

import re
import unicodedata

# A word that begins so is denied: ethnic, ethnicity; religion, religious; political, politics; biometric, biometrics.
_BEGINNINGS = (
    "ethnic", "religi", "relig", "politic", "biometr", "ideolog",
    "minzu", "zongjiao", "zhengzhimianmao", "dangyuan", "shifoudangyuan",  # pinyin written without blanks
)  # fmt: skip
# Pinyin and Uyghur in Latin letters only where the word means nothing an office asks for: `millet` is a crop, `xinyang`
# a city.
_WORDS = frozenset(
    (
        "nationality",
        "faith",
        "creed",
        "party",
        "attitude",
        "attitudes",
        "loyalty",
        "race",
        "mosque",
        "sect",
        "fingerprint",
        "fingerprints",
        "iris",
        "dna",
        "gait",
        "faceprint",
        "voiceprint",
        "mianmao",
        "zhengzhi",
        "dangpai",
        "tuanyuan",
        "zubie",
        "zhongzu",
        "zuqun",
        "taidu",
        "zhiwen",
        "hongmo",
        "renlian",
        "shengwen",
        "butai",
        "qingzhensi",
        "milliti",
        "milliy",
        "din",
        "dini",
        "diniy",
        "etiqad",
        "etiqadi",
        "siyasiy",
        "partiye",
        "partiyilik",
        "meschit",
        "mezhep",
        "irqi",
        "دىن",
        "دىنى",
        "دىنىى",  # Uyghur: religion, religious; also an ending of other words
    )
)
# Chinese is written without blanks between words, so these are looked for anywhere in a heading; simplified and
# traditional. A group's staff (集团员工) are no league members, and schooling by letter (通信教育) is no belief.
_CHINESE = (
    "民族", "族别", "族別", "种族", "種族", "族群", "族裔", "宗教", "信仰", "信教(?!育)", "教派", "清真寺", "穆斯林", "伊斯[兰蘭]", "政治",
    "[党黨][员員派籍]", "入[党黨]", "共[产產][党黨]", "(?<!集)[团團][员員]", "思想表[现現]", "[态態]度", "指[纹紋]", "虹膜", "人[脸臉]",
    "[声聲]纹", "[声聲]紋", "步[态態]", "生物特[征徵]", "生物[识識][别別]",
)  # fmt: skip
# Uyghur joins endings to its words, so these too are looked for anywhere; letters that are typed in two ways are made
# one. People or nation, national, belief, political (not policy), party, mosque, sect, fingerprint.
_UYGHUR = (
    "مىللەت", "مىللىت", "مىللىى",
    "ئېتىقاد", "سىياسىي".replace("ي", "ى"),
    "پارتىى", "مەسچىت", "مەزھەپ",
    "بارماقئىز",
)  # fmt: skip
_ANYWHERE = tuple(re.compile(word) for word in (*_CHINESE, *_UYGHUR))
_ONE_LETTER = str.maketrans({"ي": "ى", "ی": "ى", "ه": "ە", "ة": "ە"})
_SPLIT = re.compile(r"[^0-9a-z\u0600-\u06ff]+")
_BETWEEN = re.compile(r"[\W_]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def denied_word(name: str) -> str:
    """The word for which a column of this name is denied; empty where it is not."""
    # Signs nobody sees (soft hyphen, zero-width space) part no word.
    plain = "".join(c for c in unicodedata.normalize("NFKC", name) if unicodedata.category(c) != "Cf")
    joined = _BETWEEN.sub("", plain).translate(_ONE_LETTER)
    for pattern in _ANYWHERE:
        if found := pattern.search(joined):
            return str(found[0])
    words = _SPLIT.split(_without_accents(_CAMEL.sub(" ", plain)).lower().translate(_ONE_LETTER))
    for word in (*words, "".join(words)):
        if word in _WORDS or word.startswith(_BEGINNINGS):
            return word
    return ""


def _without_accents(text: str) -> str:
    return "".join(
        c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c) or "\u0600" <= c <= "\u06ff"
    )
