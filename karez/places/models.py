"""Areas, their dated codes, names and parents, designations, successions, and today's tree.

Holds no boundary, no population and no record of what happens in a place: those are facts of higher rooms, which keep
an area's id. A code is an attribute with dates, never a key: nothing here or above compares code prefixes.
"""

from typing import Any

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.contrib.postgres.indexes import GistIndex
from django.db import models
from django.db.models import F, Func, Q
from django.utils.translation import gettext_lazy as _

from karez.kernel.facts import EventFact, Reach, SpellFact, UndatedFact, Usage
from karez.kernel.fields import Coded, Day, Words
from karez.kernel.messages import Text
from karez.kernel.sheets import Days


class Level(models.TextChoices):
    """The five levels, from the top."""

    REGION = "region", _("region")
    PREFECTURE = "prefecture", _("prefecture")
    COUNTY = "county", _("county")
    TOWNSHIP = "township", _("township")
    VILLAGE = "village", _("village")


class Mark(models.TextChoices):
    """Whether a statement about a place has a source or was assumed to make the tree whole."""

    SOURCED = "sourced", _("sourced")
    ASSUMED = "assumed", _("assumed")


class DesignationList(models.TextChoices):
    """Lists an area may stand on for a time."""

    NATIONAL_KEY_COUNTY = "national_key_county", _("national key county")
    REGIONAL_KEY_COUNTY = "regional_key_county", _("regional key county")
    POOR_VILLAGE = "poor_village", _("poor village")
    THREE_ENSURES_1 = "three_ensures_1", _("three-ensures village, class 1")
    THREE_ENSURES_2 = "three_ensures_2", _("three-ensures village, class 2")
    THREE_ENSURES_3 = "three_ensures_3", _("three-ensures village, class 3")
    MUTUAL_FUND_PILOT = "mutual_fund_pilot", _("village mutual fund pilot")
    CONTIGUOUS_PILOT = "contiguous_pilot", _("contiguous development pilot")
    RELOCATION_SOURCE = "relocation_source", _("village people move from")
    RELOCATION_HOST = "relocation_host", _("village people move to")


# A village is in one class of the three ensures at a time.
EXCLUSIVE_LISTS = ("three_ensures_1", "three_ensures_2", "three_ensures_3")


# A row is judged twice: by its true dates among the rows not voided, and by the days it counts among all rows.
_TRUE_DAYS = Func(F("starts_on"), F("ends_before"), function="daterange", output_field=DateRangeField())
_COUNTED_DAYS = Func(
    F("counts_from"),
    Func(F("counts_before"), F("void_counts_on"), function="LEAST"),
    function="daterange",
    output_field=DateRangeField(),
)


def _first_day(meaning: Text) -> Day:
    return Day("valid_from", meaning, days=Days.ANY, label=_("in force from"), headers=("from", "起始日期", "生效日期"))


def _end(meaning: Text) -> Day:
    return Day("valid_to", meaning, null=True, blank=True, days=Days.ANY, label=_("in force before"),
               headers=("until", "to", "终止日期", "失效日期"))  # fmt: skip


def _one_at_a_time(name: str, *fields: str, days: Any, condition: Q | None = None) -> ExclusionConstraint:
    """Rows alike in `fields` never share a day of `days`."""
    alike = [(F(field), RangeOperators.EQUAL) for field in fields]
    return ExclusionConstraint(name=name, expressions=[*alike, (days, RangeOperators.OVERLAPS)], condition=condition)


class LtreeField(models.TextField):
    """A column of PostgreSQL's `ltree`; read and written as text such as "1.7.31"."""

    def db_type(self, connection: Any) -> str:
        """The SQL type of the column."""
        return "ltree"


class Area(UndatedFact):
    """A place with an id of its own that outlives every code and name. `first_level` is what it was when first
    recorded.
    """

    first_level = Coded("first_level", _("what it was when first recorded"), choices=Level)

    class Meta(UndatedFact.Meta):
        constraints = [
            *UndatedFact.Meta.constraints,
        ]

    def __str__(self) -> str:
        return f"area {self.pk}"


class AreaSpell(SpellFact):
    """What an area is called and where it belongs, from a day until before another. One area has one spell at a time."""

    reach = Reach.AHEAD

    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="spells")
    level = Coded("level", _("level of the area"), choices=Level, label=_("level"), headers=("级别", "层级"), written={
                      "province": "region", "省": "region", "自治区": "region", "直辖市": "region", "地级": "prefecture",
                      "地区": "prefecture", "市": "prefecture", "自治州": "prefecture", "县级": "county", "县": "county",
                      "区": "county", "乡级": "township", "乡": "township", "镇": "township", "街道": "township",
                      "村级": "village", "村": "village"})  # fmt: skip
    code = Words("code", _("official code of the area"), pattern="[0-9A-Za-z-]+", max_length=20, label=_("code"),
                 headers=("代码", "区划代码"))  # fmt: skip
    name_zh = Words("name_zh", _("Chinese name"), required=False, label=_("Chinese name"), headers=("名称", "中文名称"))
    name_en = Words("name_en", _("romanised or English name"), required=False, label=_("name in letters"),
                    headers=("name", "英文名称", "拼音"))  # fmt: skip
    parent = models.ForeignKey(Area, null=True, blank=True, on_delete=models.PROTECT, related_name="child_spells")
    starts_on = _first_day(_("first day this is so"))
    ends_before = _end(_("first day this is no longer so; empty while it holds"))
    mark = Coded("mark", _("where it is known from"), choices=Mark, default=Mark.SOURCED)
    note = Words("note", _("source or remark"), blank=True, default="", label=_("remark"), headers=("备注", "来源"))

    class Meta(SpellFact.Meta):
        constraints = [
            *SpellFact.Meta.constraints,
            models.CheckConstraint(name="places_areaspell_named", condition=~Q(name_zh="", name_en="")),
            models.CheckConstraint(
                name="places_areaspell_only_regions_have_no_parent",
                condition=Q(level="region", parent=None) | (~Q(level="region") & Q(parent__isnull=False)),
            ),
            models.CheckConstraint(name="places_areaspell_not_its_own_parent", condition=~Q(parent=F("area"))),
            _one_at_a_time("places_areaspell_one_at_a_time", "area", days=_TRUE_DAYS, condition=Q(voided_at=None)),
            _one_at_a_time("places_areaspell_one_counts", "area", days=_COUNTED_DAYS),
            _one_at_a_time("places_areaspell_code_once", "code", "level", days=_TRUE_DAYS, condition=Q(voided_at=None)),
        ]
        indexes = [models.Index(fields=["code", "level"], name="places_areaspell_code")]

    def __str__(self) -> str:
        return f"{self.code} {self.name_zh} ({self.name_en})"


class Succession(EventFact):
    """One area became, or gave land to, another on a day. A merge of two areas is two rows with one successor."""

    reach = Reach.AHEAD

    class Kind(models.TextChoices):
        """How the successor came about."""

        MERGE = "merge", _("merged into")
        SPLIT = "split", _("split into")
        RENAME = "rename", _("renamed")
        CUT_OUT = "cut_out", _("cut out of")

    predecessor = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="succeeded_by")
    successor = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="succeeds")
    kind = Coded("kind", _("how the successor came about"), choices=Kind, label=_("kind"))
    mark = Coded("mark", _("where it is known from"), choices=Mark, default=Mark.SOURCED)
    note = models.TextField(blank=True, default="")

    class Meta(EventFact.Meta):
        constraints = [
            *EventFact.Meta.constraints,
            models.CheckConstraint(
                name="places_succession_of_two_areas",
                condition=~Q(predecessor=F("successor")),
            ),
            models.UniqueConstraint(
                name="places_succession_once",
                fields=["predecessor", "successor", "kind", "happened_on"],
                condition=Q(voided_at=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.predecessor_id} {self.kind} {self.successor_id} on {self.happened_on}"


class Designation(SpellFact):
    """An area stands on a list from a day until before another, by a document."""

    reach = Reach.AHEAD

    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="designations")
    list = Coded("list", _("the list"), choices=DesignationList, label=_("list"), headers=("名单", "类别"), written={
                     "国家扶贫开发工作重点县": "national_key_county", "国家重点县": "national_key_county",
                     "自治区扶贫开发工作重点县": "regional_key_county", "区级重点县": "regional_key_county",
                     "贫困村": "poor_village", "三个确保一类": "three_ensures_1", "三个确保二类": "three_ensures_2",
                     "三个确保三类": "three_ensures_3", "互助资金试点": "mutual_fund_pilot",
                     "连片开发试点": "contiguous_pilot", "移民迁出": "relocation_source", "移民迁入": "relocation_host",
                 })  # fmt: skip
    document = Words("document", _("document that put it there"), label=_("document"), headers=("文件", "依据"))
    starts_on = _first_day(_("first day on the list"))
    ends_before = _end(_("first day no longer on it; empty while it is"))
    mark = Coded("mark", _("where it is known from"), choices=Mark, default=Mark.SOURCED)
    note = models.TextField(blank=True, default="")

    class Meta(SpellFact.Meta):
        constraints = [
            *SpellFact.Meta.constraints,
            _one_at_a_time(
                "places_designation_one_at_a_time",
                "area",
                "list",
                days=_TRUE_DAYS,
                condition=Q(voided_at=None),
            ),
            _one_at_a_time("places_designation_one_counts", "area", "list", days=_COUNTED_DAYS),
            _one_at_a_time(
                "places_designation_one_class",
                "area",
                days=_TRUE_DAYS,
                condition=Q(voided_at=None, list__in=EXCLUSIVE_LISTS),
            ),
        ]
        indexes = [models.Index(fields=["list", "area"], name="places_designation_list")]

    def __str__(self) -> str:
        return f"{self.area_id} on {self.list} from {self.starts_on}"


class Tree(models.Model):
    """Today's tree, one row for each area ever in it, rebuilt by `places_refresh_tree()` alone.

    An area that has ended keeps a row (`is_current` false) under its only successor, or under its last parent, so that
    its records stay visible to those who now answer for them.
    """

    facts = Usage.OWNED

    area = models.OneToOneField(Area, primary_key=True, on_delete=models.PROTECT, related_name="tree")
    path = LtreeField()
    level = models.TextField(choices=Level.choices)
    code = models.TextField()
    name_zh = models.TextField()
    name_en = models.TextField()
    parent = models.ForeignKey(Area, null=True, on_delete=models.PROTECT, related_name="+")
    is_current = models.BooleanField()

    class Meta:
        db_table = "places_tree"
        indexes = [
            GistIndex(fields=["path"], name="places_tree_path"),
            models.Index(fields=["parent", "code"], name="places_tree_parent"),
            models.Index(fields=["code"], name="places_tree_code"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name_zh} ({self.name_en})"


class TreeDay(models.Model):
    """The day today's tree was last built for: one row, so that changes dated ahead are noticed when their day comes."""

    facts = Usage.OWNED

    day = models.DateField()

    class Meta:
        constraints = [models.CheckConstraint(name="places_treeday_is_one", condition=Q(id=1))]

    def __str__(self) -> str:
        return str(self.day)
