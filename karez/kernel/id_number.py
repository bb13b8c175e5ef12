"""The resident identity number of GB 11643-1999: 17 digits and a check character. Holds no table of area codes.

A missing or odd number is never a ground to refuse a person; it is a fault of a form to be asked about.
"""

from datetime import date

from karez.kernel.messages import say

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"  # ISO 7064 MOD 11-2: remainder 0..10


# (another month of birth, another sex) -> how it is told
DISAGREES = {
    (False, False): "", (True, False): say("the number says another month of birth"),
    (False, True): say("the number says another sex"),
    (True, True): say("the number says another month of birth and another sex"),
}  # fmt: skip


def check_character(first17: str) -> str:
    """The check character of 17 digits. Source: GB 11643-1999, ISO 7064 MOD 11-2."""
    return _CHECK[sum(int(d) * w for d, w in zip(first17, _WEIGHTS, strict=True)) % 11]


def fault_of(number: str) -> str:
    """What is wrong with an identity number, in words; empty where nothing is."""
    if len(number) != 18:
        return f"{len(number)} characters, not 18"
    if not (number[:17].isascii() and number[:17].isdigit()):
        return "the first 17 are not all digits"
    if check_character(number[:17]) != number[17].upper():
        return "the check character does not fit"
    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return "the birth date inside it does not exist"
    return ""


def disagreement(number: str, *, birth_month: date | None, sex: int) -> str:
    """What of birth month and sex (GB/T 2261.1) a right number says otherwise, in words that show nothing of it; empty
    where nothing is.
    """
    month = birth_month is not None and number[6:12] != f"{birth_month:%Y%m}"
    other = sex in (1, 2) and int(number[16]) % 2 != sex % 2
    return DISAGREES[month, other]


def masked(number: str) -> str:
    """All but the last four characters hidden, for lists of faults."""
    return "*" * max(0, len(number) - 4) + number[-4:]
