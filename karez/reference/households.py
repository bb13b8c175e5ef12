"""Made-up people: the households behind the members, who belongs to them, and what they earned in the year.

Names are drawn from lists of common characters. Identity numbers have a right check character but begin with 99, which
is no region's code, so no number of a real person can come out.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from karez.reference import calibration as c
from karez.reference.lending import Members
from karez.reference.societies import Days, Ints, Societies

SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范"
GIVEN = "文明志国建军伟华平安永福成海山春秋兰梅桂英秀玉珍凤霞芳丽娟燕红萍静雪云飞龙虎强刚勇毅宁生德才学忠义信仁孝廉清正和顺康健乐天晓东南西北中原林森"
SIZES, SIZE_SHARES = np.arange(2, 8), np.array([0.09, 0.18, 0.28, 0.24, 0.14, 0.07])
HEAD, SPOUSE, SON, DAUGHTER, GRANDCHILD, PARENT = "head", "spouse", "son", "daughter", "grandchild", "parent"
RELATIONS = np.array([HEAD, SPOUSE, SON, DAUGHTER, GRANDCHILD, PARENT])
LINE = "CN-rural-1196-2009"
_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2], dtype=np.int64)
_CHECK = np.array(list("10X98765432"))


@dataclass(frozen=True)
class Households:
    """One entry for each member household."""

    registered: NDArray[np.bool_]
    size: Ints
    since: Days
    income_per_head: Ints  # yuan in the year


@dataclass(frozen=True)
class Persons:
    """One entry for each person; `household` points to Households, `relation` into RELATIONS."""

    household: Ints
    no: Ints
    relation: Ints
    male: NDArray[np.bool_]
    born_on: Days
    since: Days
    surname: Ints
    given: Ints


def settle(societies: Societies, members: Members, rng: np.random.Generator) -> Households:
    """Seven in ten member households are on the poverty register; the others are recorded for the fund alone."""
    count = len(members)
    share = rng.beta(14, 6, len(societies))[members.society]
    registered = rng.random(count) < share
    entered = np.datetime64("2005-03-01") + rng.integers(0, 300, count).astype("timedelta64[D]")
    since = np.where(registered, entered, members.joined_on)
    levels = np.exp(rng.normal(0.0, 0.18, len(societies)))[members.society]
    income = np.exp(rng.normal(np.log(1_040), 0.30, count)) * levels
    return Households(
        registered, rng.choice(SIZES, count, p=SIZE_SHARES), since, income.astype(np.int64).clip(280, 9_000)
    )


def people(households: Households, rng: np.random.Generator) -> Persons:
    """Head, mostly a spouse, children, in larger households a parent of the head or grandchildren."""
    household = np.repeat(np.arange(len(households.size)), households.size)
    count = len(household)
    position = np.arange(count) - np.repeat(np.cumsum(households.size) - households.size, households.size)
    size, lots = households.size[household], rng.random(count)
    head_age = rng.triangular(24, 42, 68, len(households.size))[household]
    head_male = (rng.random(len(households.size)) < 0.88)[household]
    has_spouse = (rng.random(len(households.size)) < 0.93)[household]
    relation = np.full(count, 2)
    relation[position == 0] = 0
    relation[(position == 1) & has_spouse] = 1
    last = (position == size - 1) & (position > 1)
    relation[last & (size >= 5) & (lots < 0.55)] = 5
    relation[(position >= 3) & (head_age > 46) & (relation == 2) & (lots < 0.75)] = 4
    age = np.select(
        [relation == 0, relation == 1, relation == 5, relation == 4],
        [
            head_age,
            head_age + rng.normal(-1.5, 2.5, count),
            head_age + rng.normal(25, 3, count),
            (head_age - 44) * lots,
        ],
        (head_age - 22.5 - 2.6 * (position - 1) - 2 * lots),
    ).clip(0.05, 97)
    born = c.LAST_DAY - (age * 365.25).astype(np.int64).astype("timedelta64[D]")
    male = np.where(relation == 0, head_male, np.where(relation == 1, ~head_male, rng.random(count) < 0.515))
    relation[(relation == 2) & ~male] = 3
    family = rng.integers(0, len(SURNAMES), len(households.size))[household]
    surname = np.where(relation == 1, rng.integers(0, len(SURNAMES), count), family)
    given = rng.integers(0, len(GIVEN) * (len(GIVEN) + 1), count)
    since = np.maximum(households.since[household], born)
    return Persons(household, position + 1, relation, male, born, since, surname, given)


def names(persons: Persons) -> NDArray[np.str_]:
    """A surname and one or two characters."""
    width = len(GIVEN)
    first, second = persons.given % width, persons.given // width
    characters = np.array(list(GIVEN))
    tail = np.concatenate((characters, [""]))[np.minimum(second, width)]
    return np.char.add(np.char.add(np.array(list(SURNAMES))[persons.surname], characters[first]), tail)


def id_numbers(persons: Persons) -> NDArray[np.str_]:
    """GB 11643 numbers of no real region: 99, a running number in place of the county, birth, running number by sex."""
    count = len(persons.household)
    running = np.arange(count)
    born = persons.born_on.astype("datetime64[M]").astype(np.int64)
    year, month = born // 12 + 1970, born % 12 + 1
    day = (persons.born_on - persons.born_on.astype("datetime64[M]")).astype(np.int64) + 1
    first14 = (99 * 10**4 + running // 499 % 10**4) * 10**8 + year * 10**4 + month * 100 + day
    number = first14 * 1000 + running % 499 * 2 + np.where(persons.male, 1, 2)  # odd for men
    digits = number[:, None] // 10 ** np.arange(16, -1, -1) % 10
    return np.char.add(number.astype(str), _CHECK[(digits * _WEIGHTS).sum(axis=1) % 11])
