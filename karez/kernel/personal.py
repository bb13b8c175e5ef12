"""What looks like a person's identity in a table: headings under their common names, and numbers of known forms. Keeps
no value.

A column that looks so is taken as the identity column it stands for, or refused: dropped in silence, two records of one
person would not be found. Patterns are read alike by Python and RE2.
"""

import re
import unicodedata

from karez.kernel.folding import without_end_bracket

_OF_WHOM = "(?:个人|本人|人员|成员|公民|居民|村民|农户|社员|申请人|借款人|person|personal|member)?"
_NUMBER = r"(?:身份证(?:件)?|公民身份(?:证)?|居民身份证|二代身份证|证件|身份)(?:号码|编号|证号|号|码)|(?:居民|公民|二代)?身份证|(?:id|identity)card|公民身份(?:证)?|sfz(?:h|hm)?|shenfenzheng(?:hao|haoma)?|(?:id|identity|identification|citizenid|nationalid|residentid|idcard|identitycard)(?:card)?(?:no|nr|num|number|code)"
_NAME = "(?:的)?(?:姓名|人名|名字|xingming|name|names|nameoftheperson)|fullname|nameofperson"
_PHONE = "(?:联系|手机|移动|办公|家庭)?(?:电话|手机)(?:号码|号)?|手机|联系方式|(?:tele|mobile|cell)?phone(?:no|number)?|mobile|mobileno|mobilenumber|tel|telno|cellphone"
_ALIASES = {
    kind: re.compile(f"{_OF_WHOM}(?:{words})")
    for kind, words in (("id_number", _NUMBER), ("name", _NAME), ("phone", _PHONE))
}
_LIKE = re.compile(
    r"(?:身份证|公民身份|身份证件|证件)(?:号码|编号|证号|号|码|$)|身份号码|社会保障号|社保(?:卡)?号|社保卡$|护照|(?:通行|回乡|台胞|军官|士兵|军人|警官|残疾|残疾人|残疾军人|低保|驾驶|居住|暂住|退休|退役|医保|优待|结婚|五保)(?:证|卡)(?:号|编号|编码)|(?:军官|士兵|警官)证$|(?:户口(?:簿|本)?|低保|残疾|驾照|医保)(?:号|编号)|户口(?:簿|本)$|银行(?:卡|账|帐)|银行.*[账帐]号|卡号|一卡通|存折|[账帐]户?号码?$|开户"
    r"|手机|联系电话|联系方式|电话号码"
    r"|id(?:entity)?card|idnumber|identitynumber|identityno|^idno$|nationalid|citizenid|passport|militaryid|officercard|socialsecurity(?:no|num)|^ssn$|driv(?:er|ers|ing)licen[cs]e|disab(?:ility|led)(?:card|certificate)|hukou(?:ben|bu)?(?:no|num|hao)|(?:dibao|canji|junguan)zheng|huzhao|bankaccount|bankcard|accountno|accountnumber|cardno|cardnumber|iban|mobile(?:no|number|phone)|phonenumber"
)
_NO_NUMBER = re.compile(
    "类型|种类|类别|是否|有无|照片|复印件|签发|有效期|到期|住址|地址|开户行|开户银行|银行名称|type|kind|issued|expiry|valid"
)
# Weights and check characters of GB 11643 are in `kernel/id_number.py`; here only what the forms are.
EIGHTEEN = r"[1-9][0-9]{5}(?:18|19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9xX]"
FIFTEEN = r"[1-8][0-9]{5}[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}"
PHONE = r"(?:\+?86[ -]?)?1[3-9][0-9][ -]?[0-9]{4}[ -]?[0-9]{4}"
BANK_CARD = r"(?:62|4|5[1-5]|9[58])[0-9]{14,17}"


def heading_words(heading: str) -> str:
    """A heading without width, case, blanks, signs and what stands in brackets at its end."""
    plain = unicodedata.normalize("NFKC", heading).casefold()
    return re.sub(r"[\W_]+", "", without_end_bracket(plain))


def alias_of(heading: str) -> str:
    """Which part of identity a heading asks for by a common name: id_number, name or phone; empty where none."""
    words = heading_words(heading)
    return next((kind for kind, pattern in _ALIASES.items() if pattern.fullmatch(words)), "")


def looks_personal(heading: str) -> bool:
    """Whether a heading asks for a number that is a person's identity: of a card, an account, a telephone."""
    words = heading_words(heading)
    if _NO_NUMBER.search(words):
        return False
    return alias_of(heading) in ("id_number", "phone") or bool(_LIKE.search(words))
