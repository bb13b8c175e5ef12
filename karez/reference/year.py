"""The reference year put together, and its files written in the order they are loaded. The columns are those of the
rooms' sheets.
"""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from karez.reference import calibration as c
from karez.reference import counties, county_returns, households, lending, papers, societies

Frame = Mapping[str, Any]
DOCUMENTS = "documents"  # the pseudo-sheet of the list of papers
_PURPOSES = np.array(["crops", "livestock", "processing", "trade", "services"])
_PURPOSE_SHARES = np.array([0.3, 0.45, 0.06, 0.12, 0.07])


class Year:
    """Everything drawn from one seed, in one order, so that the same seed gives the same year."""

    def __init__(self, seed: int, scale: int) -> None:
        rng = np.random.Generator(np.random.PCG64(seed))
        self.rng = rng
        self.poor = counties.poor_villages(counties.rural_villages(), rng)
        self.societies = societies.found_societies(counties.fund_villages(self.poor, rng), rng, scale)
        self.members = lending.join(self.societies, rng, scale)
        self.money = lending.lend(self.societies, self.members, lending.resolve(self.societies, rng), rng, scale)
        self.households = households.settle(self.societies, self.members, rng)
        self.persons = households.people(self.households, rng)
        self.returns = county_returns.returns(self.societies, self.money, rng)
        self.village = pa.array(self.societies.village)


def write(out: Path, seed: int = 2009, scale: int = 1) -> list[Path]:
    """Writes the year's files, MANIFEST.csv among them, and returns their paths; the same arguments give the same
    bytes.

    `scale` multiplies households, persons, contributions, loans and repayments; the printed totals hold at scale 1.
    """
    if scale < 1:
        raise ValueError("scale is a whole number from 1 on")
    out.mkdir(parents=True, exist_ok=True)
    folder = _Folder(out)
    year = Year(seed, scale)
    _rules_and_money(year, folder)
    _societies(year, folder)
    _people(year, folder)
    _members(year, folder)
    _orders(year, folder)
    _loans(year, folder)
    folder.rows("returns", "returns", [vars(row) for row in year.returns])
    return folder.close()


class _Folder:
    """Writes the files one after the other and keeps the list of them."""

    def __init__(self, out: Path) -> None:
        self.out, self.listed, self.paths = out, [], []  # type: Path, list[dict[str, object]], list[Path]
        self.papers: list[dict[str, object]] = []

    def frame(self, sheet: str, name: str, frame: Frame) -> None:
        """Columns of equal length as CSV."""
        table = pa.table({k: v if isinstance(v, pa.Array) else pa.array(v) for k, v in frame.items()})
        path = self._listed(sheet, name, table.num_rows)
        pacsv.write_csv(table, path, pacsv.WriteOptions(quoting_style="needed"))

    def rows(self, sheet: str, name: str, rows: Sequence[Mapping[str, object]]) -> None:
        """A small file, row by row."""
        path = self._listed(sheet, name, len(rows))
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)

    def paper(self, name: str, lines: list[str]) -> str:
        """A PDF beside the files; returns its name."""
        path = self.out / f"{name}-synthetic.pdf"
        papers.write_pdf(path, lines)
        self.paths.append(path)
        return path.name

    def attached(self, record: str, reference: str, file: str, title: str, day: object) -> None:
        """Notes which paper belongs to which record; the list comes last, when all records are there."""
        self.papers.append({"record": record, "reference": reference, "file": file, "title": title, "issued_on": day})

    def close(self) -> list[Path]:
        """Writes the list of papers, then that of files in the order of loading."""
        self.rows(DOCUMENTS, "documents", self.papers)
        path = self.out / "MANIFEST.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, ["no", "file", "sheet", "rows", "note"], lineterminator="\n")
            writer.writeheader()
            writer.writerows(self.listed)
        return [*self.paths, path]

    def _listed(self, sheet: str, name: str, rows: int) -> Path:
        number = len(self.listed) + 1
        path = self.out / f"{number:02d}-{name}-synthetic.csv"
        note = "synthetic: real places, invented people and money"
        self.listed.append({"no": number, "file": path.name, "sheet": sheet, "rows": rows, "note": note})
        self.paths.append(path)
        return path


def _rules_and_money(year: Year, folder: _Folder) -> None:
    poor, s = year.poor.code, year.societies
    pilots = s.wave == 0
    folder.frame(
        "designations",
        "designations",
        {
            "area_code": np.concatenate((poor, s.village[pilots])),
            "list": np.array(["poor_village"] * len(poor) + ["mutual_fund_pilot"] * int(pilots.sum())),
            "valid_from": np.concatenate((np.full(len(poor), np.datetime64("2006-01-01")), s.founded_on[pilots])),
            "document": np.array(
                ["list of poor villages (synthetic)"] * len(poor) + ["list of pilots (synthetic)"] * int(pilots.sum())
            ),
        },
    )
    folder.rows(
        "source_lines",
        "source-lines",
        [
            {
                "line_code": line,
                "line_name": title,
                "funder_code": code,
                "funder_name": name,
                "funder_name_zh": zh,
                "funder_kind": kind,
                "programme": c.PROGRAMME,
                "year": c.YEAR,
                "document_no": document,
            }
            for line, (code, name, zh, kind, title, document) in papers.FUNDERS.items()
        ],
    )
    words = {"programme": c.PROGRAMME, "document_no": "grant standards (synthetic)"}
    folder.rows(
        "grant_standards",
        "grant-standards",
        [
            {**words, "size_class": size, "low": low, "high": high, "valid_from": start, "valid_to": end}
            for size, low, high, start, end in (
                ("any", 150_000, 200_000, "2006-01-01", "2009-01-01"),
                ("small", c.SMALL_GRANT, c.SMALL_GRANT, "2009-01-01", ""),
                ("big", c.BIG_GRANT, c.BIG_GRANT, "2009-01-01", ""),
            )
        ],
    )
    folder.rows(
        "plan_targets",
        "plan-targets",
        [
            {
                "code": code,
                "label": label,
                "planned": planned,
                "unit": unit,
                "from_year": first,
                "until_year": last,
                "valid_from": f"{first}-01-01",
                "document_no": "plan for village mutual funds (synthetic)",
            }
            for code, label, planned, unit, first, last in (
                ("mutual_funds.pilot", "pilot of village mutual funds", "", "years", 2006, 2008),
                (
                    "mutual_funds.villages",
                    "a mutual fund in every poor village",
                    c.POOR_VILLAGES,
                    "villages",
                    2009,
                    2011,
                ),
            )
        ],
    )
    references = [f"APP-2009-{number:03d}" for number in range(1, len(c.TRANCHES) + 1)]
    folder.rows(
        "appropriations",
        "appropriations",
        [
            {
                "reference": reference,
                "line_code": t.line,
                "happened_on": t.received_on,
                "amount": t.amount,
                "document_no": papers.FUNDERS[t.line][5],
            }
            for reference, t in zip(references, c.TRANCHES, strict=True)
        ],
    )
    for reference, t in zip(references, c.TRANCHES, strict=True):
        file = folder.paper(f"notice-{reference}", papers.notice_lines(t, reference))
        folder.attached(
            "appropriation", reference, file, f"Notice of appropriation {reference} (synthetic)", t.received_on
        )
    _allocations(year, folder)


def _allocations(year: Year, folder: _Folder) -> None:
    """For each tranche, county and day, what its villages will be granted."""
    s = year.societies
    parts = sorted({(str(s.allocated_on[i]), int(s.tranche[i]), str(s.county[i])) for i in np.flatnonzero(s.wave > 0)})
    rows = []
    for number, (day, tranche, county) in enumerate(parts, 1):
        meant = (s.tranche == tranche) & (s.county == county) & (s.allocated_on == np.datetime64(day))
        line, reference, amount = c.TRANCHES[tranche].line, f"ALLOC-2009-{number:03d}", int(s.grant[meant].sum())
        rows.append(
            {
                "reference": reference,
                "line_code": line,
                "happened_on": day,
                "amount": amount,
                "document_no": f"{papers.FUNDERS[line][5]}, part {number}",
                "county": county,
            }
        )
        lines = papers.allocation_lines(line, reference, county, day, amount, int(meant.sum()))
        folder.attached(
            "allocation",
            reference,
            folder.paper(f"order-{reference}", lines),
            f"Order of allocation {reference} (synthetic)",
            day,
        )
    folder.rows("allocations", "allocations", rows)


def _orders(year: Year, folder: _Folder) -> None:
    """One order a county names the villages granted to; it stands behind each of these grants."""
    s = year.societies
    new = np.flatnonzero(s.wave > 0)
    for county in np.unique(s.county[new]):
        meant = new[s.county[new] == county]
        total, day = int(s.grant[meant].sum()), str(s.granted_on[meant].max())
        file = folder.paper(f"county-order-{county}", papers.order_lines(str(county), len(meant), total, day))
        for village, line in sorted({(str(s.village[i]), c.TRANCHES[s.tranche[i]].line) for i in meant}):
            folder.attached("grant", f"{village} {line}", file, f"County order {county} of 2009 (synthetic)", day)


def _societies(year: Year, folder: _Folder) -> None:
    s, rules, count = year.societies, year.money.rules, len(year.societies)
    same: dict[str, object] = {
        "loan_cap": c.LOAN_CAP,
        "term_cap_days": c.TERM_CAP_DAYS,
        "contribution_min": c.CONTRIBUTION_LOW,
        "contribution_max": c.CONTRIBUTION_HIGH,
        "allocation_order": "fee_first",
        "write_off_pot": "surplus",
        "open_loans_max": 1,
        "min_members": 50,
        "min_poor_share": 50,
        "extension_days": 90,
    }
    folder.frame(
        "societies",
        "societies",
        {
            "village": s.village,
            "name": np.char.add(s.name, " mutual fund"),
            "founded_on": s.founded_on,
            "size_class": np.where(s.wave == 0, "old", np.where(s.big, "big", "small")),
            "fee_rate_month": np.char.add("0.", rules.fee_bp.astype(str)),
            "instalments": rules.instalments,
            **{name: np.full(count, value) for name, value in same.items()},
        },
    )
    old, o = s.wave == 0, year.money.openings
    folder.frame(
        "society_openings",
        "society-openings",
        {
            "village": s.village[old],
            "grant": s.grant[old],
            "contributions": o.contributions[old],
            "surplus": o.surplus[old],
            "bank": o.bank[old],
            "loans": o.loans[old],
        },
    )


def _people(year: Year, folder: _Folder) -> None:
    p, h, m = year.persons, year.households, year.members
    villages = year.village.take(pa.array(m.society))
    numbers = pa.array(np.char.zfill(m.no.astype(str), 4))
    whose = pa.array(p.household)
    folder.frame(
        "register",
        "register",
        {
            "village": villages.take(whose),
            "household_no": numbers.take(whose),
            "household_kind": pa.array(["fund_member_only", "registered"]).take(
                pa.array(h.registered[p.household].astype(np.int8))
            ),
            "person_no": p.no,
            "relation": pa.array(households.RELATIONS).take(pa.array(p.relation)),
            "sex": np.where(p.male, 1, 2),
            "birth_month": pa.array(p.born_on.astype("datetime64[M]").astype(str)),
            "since": p.since,
            "name": households.names(p),
            "id_number": households.id_numbers(p),
        },
    )
    registered = np.flatnonzero(h.registered)
    days = np.datetime64("2009-11-02") + year.rng.integers(0, 50, len(registered)).astype("timedelta64[D]")
    folder.frame(
        "assessments",
        "assessments",
        {
            "village": villages.take(pa.array(registered)),
            "household_no": numbers.take(pa.array(registered)),
            "year": np.full(len(registered), c.YEAR),
            "assessed_on": days,
            "income": h.income_per_head[registered] * h.size[registered],
            "size": h.size[registered],
            "line": np.full(len(registered), households.LINE),
        },
    )


def _members(year: Year, folder: _Folder) -> None:
    m, s = year.members, year.societies
    villages = year.village.take(pa.array(m.society))
    numbers = pa.array(np.char.zfill(m.no.astype(str), 4))
    folder.frame(
        "fund_members",
        "fund-members",
        {
            "village": villages,
            "household_no": numbers,
            "joined_on": m.joined_on,
            "kind": np.where(year.households.registered, "registered", "fund_member_only"),
        },
    )
    folder.frame(
        "contributions",
        "contributions",
        {
            "village": villages,
            "household_no": numbers,
            "paid_on": m.joined_on,
            "amount": m.contribution,
            "kind": np.full(len(m), "own"),
        },
    )
    new = np.flatnonzero(s.wave > 0)
    new = new[np.lexsort((s.village[new], s.granted_on[new]))]
    lines = np.array([t.line for t in c.TRANCHES])[s.tranche[new]]
    folder.frame(
        "grants",
        "grants",
        {
            "village": s.village[new],
            "source_line": lines,
            "granted_on": s.granted_on[new],
            "amount": s.grant[new],
            "document": np.char.add(np.char.add("county order ", s.county[new]), " of 2009 (synthetic)"),
        },
    )


def _loans(year: Year, folder: _Folder) -> None:
    """Loans of a quarter come after the repayments of the one before: nobody borrows twice, nothing is lent that is not
    there.
    """
    loans, repayments, m = year.money.loans, year.money.repayments, year.members
    purposes = year.rng.choice(_PURPOSES, len(loans.society), p=_PURPOSE_SHARES)
    label = np.where(loans.quarter < 0, "2008-", "2009-")
    numbers = np.char.add(label, np.char.zfill(loans.number.astype(str), 4))
    for quarter in range(-1, 4):
        these = np.flatnonzero(loans.quarter == quarter)
        folder.frame(
            "loans",
            f"loans-{_quarter(quarter)}",
            {
                "village": year.village.take(pa.array(loans.society[these])),
                "loan_no": numbers[these],
                "household_no": np.char.zfill(m.no[loans.member[these]].astype(str), 4),
                "lent_on": loans.lent_on[these],
                "principal": loans.principal[these],
                "term_days": loans.term_days[these],
                "purpose": purposes[these],
            },
        )
        back = np.flatnonzero(repayments.quarter == quarter)
        if quarter < 0 or not len(back):
            continue
        loan = repayments.loan[back]
        back = back[np.lexsort((repayments.paid_on[back], loans.society[loan]))]
        loan = repayments.loan[back]
        folder.frame(
            "repayments",
            f"repayments-{_quarter(quarter)}",
            {
                "village": year.village.take(pa.array(loans.society[loan])),
                "loan_no": numbers[loan],
                "paid_on": repayments.paid_on[back],
                "principal": _yuan(repayments.principal_fen[back]),
                "fee": _yuan(repayments.fee_fen[back]),
            },
        )


def _quarter(quarter: int) -> str:
    return "2008" if quarter < 0 else f"2009-q{quarter + 1}"


def _yuan(fen: Any) -> Any:
    """Fen as written in files: yuan with two decimals."""
    return np.char.add(np.char.add((fen // 100).astype(str), "."), np.char.zfill((fen % 100).astype(str), 2))
