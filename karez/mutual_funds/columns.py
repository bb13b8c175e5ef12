"""The columns of this room's files: headings in both languages, meanings, codes. Holds no checks and no writing."""

from django.utils.translation import gettext_lazy as _

from karez.kernel.sheets import Column, Days, Kind, Text

_MOST_FEN = 10**14  # a trillion yuan: beyond it somebody wrote a number in the wrong column

SIZE_CLASSES = {
    "small": "small",
    "小村": "small",
    "big": "big",
    "大村": "big",
    "old": "old",
    "原有": "old",
    "老村": "old",
}
ORDERS = {
    "fee_first": "fee_first", "先费后本": "fee_first",
    "principal_first": "principal_first", "先本后费": "principal_first",
}  # fmt: skip
WRITE_OFF_POTS = {
    "surplus": "surplus", "占用费积累": "surplus", "公积金": "surplus",
    "gifts": "gifts", "捐赠": "gifts",
    "grant": "grant", "财政扶贫资金": "grant", "财政资金": "grant",
}  # fmt: skip
MEMBER_KINDS = {
    "registered": "registered", "建档户": "registered", "在册户": "registered",
    "fund_member_only": "fund_member_only", "其他农户": "fund_member_only", "非建档户": "fund_member_only",
}  # fmt: skip
CONTRIBUTION_KINDS = {
    "own": "own", "自缴": "own", "交纳": "own",
    "granted_base": "granted_base", "赠股": "granted_base", "配股": "granted_base",
    "refund": "refund", "退还": "refund", "退股": "refund",
}  # fmt: skip
PURPOSES = {
    "crops": "crops", "种植": "crops",
    "livestock": "livestock", "养殖": "livestock",
    "processing": "processing", "加工": "processing",
    "trade": "trade", "商贸": "trade", "贩运": "trade",
    "services": "services", "服务": "services",
    "other_production": "other_production", "其他生产": "other_production",
}  # fmt: skip
PLACES_OF_MONEY = {"bank": "bank", "银行": "bank", "专户": "bank", "cash": "cash", "现金": "cash"}


def village() -> Column:
    """The village whose society is meant."""
    return Column(
        "village",
        _("code of the administrative village the society works in"),
        Kind.AREA,
        levels=("village",),
        headers=("village code", "行政村代码", "村代码"),
        max_length=20,
    )


def household_no() -> Column:
    """The member's household."""
    return Column(
        "household_no",
        _("number of the household in the village's register"),
        headers=("household number", "户编号", "户号"),
        max_length=40,
        reference=True,
    )


def loan_no() -> Column:
    """The loan's number in its society."""
    return Column(
        "loan_no",
        _("number of the loan, once in its society"),
        headers=("loan number", "借款编号", "借款号"),
        max_length=40,
        reference=True,
    )


def day(name: str, meaning: Text, *headers: str, days: Days = Days.OPENED) -> Column:
    """A day on which something happened."""
    return Column(name, meaning, Kind.DATE, headers=("date", "日期", *headers), days=days)


def fen(name: str, meaning: Text, *headers: str, required: bool = True, low: int = 0) -> Column:
    """An amount, written in yuan."""
    return Column(name, meaning, Kind.FEN, unit="yuan", headers=headers, required=required, low=low, high=_MOST_FEN)


def money_in() -> Column:
    """Where the society keeps the money that moved; the bank where the cell is empty."""
    return Column(
        "account",
        _("where the money came to or went from: bank or cash; bank if empty"),
        Kind.CODE,
        required=False,
        codes=PLACES_OF_MONEY,
        headers=("paid through", "资金账户", "收付方式"),
    )


def receipt_no() -> Column:
    """What tells two payments of one day apart."""
    return Column(
        "receipt_no",
        _("number of the receipt, if there is one; it tells two payments of one day apart"),
        required=False,
        headers=("receipt", "receipt number", "收据号", "收据编号", "票据号"),
        max_length=60,
    )


SOCIETIES = (
    village(),
    Column("name", _("name of the society"), headers=("society", "互助社名称", "名称")),
    day("founded_on", _("day the society was founded"), "founded", "成立日期", days=Days.SINCE),
    Column("size_class", _("class of the village for the grant: small, big, or old where the fund is older than " "the classes"),
           Kind.CODE, codes=SIZE_CLASSES, headers=("size class", "村规模", "规模类别")),
    fen("loan_cap", _("most that may be lent to a member at once"), "loan ceiling", "借款上限", "单笔借款上限", low=1),
    Column("term_cap_days", _("longest term of a loan"), Kind.INTEGER, unit="days", low=1, high=3660,
           headers=("longest term", "最长期限", "最长借款期限(天)")),
    Column("fee_rate_month", _("user fee for thirty days, in percent of what is lent, at most two decimals"), Kind.DECIMAL,
           unit="percent", low=0, high=10, headers=("fee per month", "月占用费率", "月占用费率(%)")),
    fen("contribution_min", _("least a member pays in on entry"), "least contribution", "最低互助金", low=0),
    fen("contribution_max", _("most a member may have paid in"), "most contribution", "最高互助金", low=1),
    Column("allocation_order", _("what a repayment pays first: the fee or the principal of each instalment"), Kind.CODE,
           codes=ORDERS, headers=("allocation", "还款顺序")),
    Column("write_off_pot", _("the pot a loan written off is charged to"), Kind.CODE, codes=WRITE_OFF_POTS,
           headers=("write-off pot", "核销来源")),
    Column("open_loans_max", _("how many loans a member may have at once"), Kind.INTEGER, low=1, high=20,
           headers=("open loans", "可同时借款笔数")),
    Column("instalments", _("equal instalments a loan is repaid in; 1 means all at the end"), Kind.INTEGER, low=1, high=60,
           headers=("number of instalments", "还款期数")),
    Column("min_members", _("fewest member households"), Kind.INTEGER, unit="households", low=0, high=100_000,
           headers=("fewest members", "最少社员户数")),
    Column("min_poor_share", _("least share of the village's registered households that are members"), Kind.INTEGER,
           unit="percent", low=0, high=100, headers=("least share of poor households", "贫困户入社比例(%)")),
    Column("extension_days", _("days a loan may be extended beyond the longest term; none if empty"), Kind.INTEGER, unit="days",
           required=False, low=0, high=3660, headers=("longest extension", "可展期天数")),
)  # fmt: skip

SOCIETY_OPENINGS = (
    village(),
    fen(
        "grant",
        _("grant pot on the region's first day: all public money paid in, as it stood"),
        "grant pot",
        "财政扶贫资金",
    ),
    fen("contributions", _("members' contributions on that day"), "contributions pot", "农户互助金", "会员互助金"),
    fen("gifts", _("gifts on that day"), "gifts pot", "捐赠资金", required=False),
    fen("surplus", _("surplus of fees on that day"), "surplus pot", "占用费积累", "公积金", required=False),
    fen("cash", _("cash in hand on that day"), "cash in hand", "库存现金", required=False),
    fen("bank", _("money at the bank on that day"), "at the bank", "银行存款"),
    fen("loans", _("principal lent and not yet repaid on that day"), "loans outstanding", "借出资金", "借款余额"),
)

GRANTS = (
    village(),
    Column(
        "source_line",
        _("code of the source line the money comes from"),
        headers=("source line", "资金来源代码"),
        max_length=40,
        reference=True,
    ),
    day("granted_on", _("day the money reached the society"), "granted", "拨付日期"),
    fen("amount", _("amount granted"), "grant", "拨付金额", "金额", low=1),
    Column("document", _("number of the document that grants it"), headers=("document number", "文号", "拨款文号")),
)

FUND_MEMBERS = (
    village(),
    household_no(),
    day("joined_on", _("day the household joined"), "joined", "入社日期", days=Days.SINCE),
    Column("kind", _("a household of the register, or one recorded as fund member only (made if it is not there)"), Kind.CODE,
           codes=MEMBER_KINDS, headers=("kind of household", "户类型")),
)  # fmt: skip

CONTRIBUTIONS = (
    village(),
    household_no(),
    day(
        "paid_on",
        _("day of the payment; of money paid before the region's first day its true day"),
        "paid",
        "缴纳日期",
        days=Days.SINCE,
    ),
    fen("amount", _("amount"), "金额", low=1),
    Column(
        "kind",
        _("own money, a base share counted from the grant (no money moves), or a refund of own money"),
        Kind.CODE,
        codes=CONTRIBUTION_KINDS,
        headers=("kind of contribution", "类别"),
    ),
    money_in(),
    receipt_no(),
)

LOANS = (
    village(),
    loan_no(),
    household_no(),
    day("lent_on", _("day the money was lent"), "lent", "借款日期", days=Days.SINCE),
    fen("principal", _("amount lent; of a loan older than the region's first day, what was still owed on that day"),
        "amount lent", "借款金额", low=1),
    Column("term_days", _("days until the loan is due"), Kind.INTEGER, unit="days", low=1, high=3660,
           headers=("term", "期限", "期限(天)")),
    Column("purpose", _("what the loan is for"), Kind.CODE, codes=PURPOSES, headers=("用途", "借款用途")),
    money_in(),
)  # fmt: skip

REPAYMENTS = (
    village(),
    loan_no(),
    day("paid_on", _("day of the repayment"), "paid", "还款日期"),
    fen("principal", _("part that repays principal"), "principal repaid", "归还本金", "本金"),
    fen("fee", _("part that pays the user fee"), "fee paid", "占用费"),
    money_in(),
    receipt_no(),
)
