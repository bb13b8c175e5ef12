"""The same cells as the declared figures, by hand: the DuckDB queries somebody would write who knows these tables well.

One query a table: counted at the area the rows are recorded at, then summed over itself and the areas above. It knows
what the engine must find out: that a household lies in one village, so distinct households add up; that counties do
not.
"""

from typing import Any

import duckdb

_ON = "case_status in ('identified', 'recorded')"
_ISSUED = "counts_year = 2009 and not opening"
_FORCE = "from_on <= DATE '2009-12-31' and (until_on is null or until_on > DATE '2009-12-31')"
_STANDARD = "kind = 'standard' and code = 'mutual_funds'"
_OLD = f"{_STANDARD} and from_on < DATE '2009-01-01' and (until_on is null or until_on >= DATE '2009-01-01')"
_TARGET = (
    f"kind = 'target' and code = 'mutual_funds.villages' and from_year <= 2009 and until_year >= 2009 and {_FORCE}"
)
_FUND_MONEY = "programme = 'mutual_funds' and line_year = 2009"
_KEY = "area_level = 'county' and key_county and value_year"

# table -> figure -> (how it is counted low down, how it is brought up)
TABLES: dict[str, dict[str, tuple[str, str]]] = {
    "register_persons": {
        "register.persons": (f"count(*) filter ({_ON})", "sum"),
        "register.women": (f"count(*) filter ({_ON} and sex = 2)", "sum"),
        "register.men": (f"count(*) filter ({_ON} and sex = 1)", "sum"),
        "register.children": (f"count(*) filter ({_ON} and birth_year > 1993)", "sum"),
    },
    "register_households": {
        "register.households": (f"count(*) filter ({_ON})", "sum"),
        "register.households_exited": ("count(*) filter (case_status = 'exited')", "sum"),
        "register.households_assessed": (f"count(*) filter ({_ON} and income_fen is not null)", "sum"),
        "register.assessed_income": (f"sum(income_fen) filter ({_ON} and income_fen is not null)", "sum"),
        "register.assessed_persons": (f"sum(assessed_size) filter ({_ON} and income_fen is not null)", "sum"),
    },
    "mutual_funds_loans": {
        "mutual_funds.loans_issued": (f"sum(principal_fen) filter ({_ISSUED})", "sum"),
        "mutual_funds.loans_issued_count": (f"count(*) filter ({_ISSUED})", "sum"),
        "mutual_funds.borrower_households": (f"count(distinct household_key) filter ({_ISSUED})", "sum"),
        "mutual_funds.loans_outstanding": ("sum(outstanding_fen)", "sum"),
        "mutual_funds.loans_late_30": ("sum(outstanding_fen) filter (days_late > 30)", "sum"),
        "mutual_funds.loans_rescheduled": ("sum(outstanding_fen) filter (rescheduled)", "sum"),
    },
    "mutual_funds_dues": {
        "mutual_funds.fell_due": ("sum(due_fen) filter (due_year = 2009)", "sum"),
        "mutual_funds.collected_on_time": ("sum(collected_on_time_fen) filter (due_year = 2009)", "sum"),
    },
    "mutual_funds_members": {
        "mutual_funds.member_households": ("count(*)", "sum"),
        "mutual_funds.member_households_registered": ("count(*) filter (household_kind = 'registered')", "sum"),
    },
    "mutual_funds_grants": {
        "mutual_funds.grants_year": ("sum(amount_fen) filter (counts_year = 2009)", "sum"),
        "mutual_funds.grants_year_lgop": (
            "sum(amount_fen) filter (counts_year = 2009 and funder_kind = 'central_office')",
            "sum",
        ),
    },
    "mutual_funds_capital": {
        "mutual_funds.capital_government": ("sum(grant_fen)", "sum"),
        "mutual_funds.capital_members": ("sum(contributions_fen)", "sum"),
        "mutual_funds.capital_gifts": ("sum(gifts_fen)", "sum"),
        "mutual_funds.capital_surplus": ("sum(surplus_fen)", "sum"),
    },
    "mutual_funds_opening": {
        "mutual_funds.opening_government": ("sum(grant_fen)", "sum"),
        "mutual_funds.opening_members": ("sum(contributions_fen)", "sum"),
    },
    "mutual_funds_societies": {
        "mutual_funds.villages_before": ("count(*) filter (founded_year < 2009)", "sum"),
        "mutual_funds.villages_new": ("count(*) filter (founded_year = 2009)", "sum"),
        "mutual_funds.villages_new_small": ("count(*) filter (founded_year = 2009 and size_class = 'small')", "sum"),
        "mutual_funds.villages_new_big": ("count(*) filter (founded_year = 2009 and size_class = 'big')", "sum"),
        "mutual_funds.villages_poor": ("count(*) filter (poor_village)", "sum"),
        "mutual_funds.villages_key_counties": ("count(*) filter (key_county)", "sum"),
        "mutual_funds.counties_covered": ("any_value(county_id)", "count distinct"),
    },
    "places_areas": {
        "overview.prefecture_cities": ("count(*) filter (area_level = 'prefecture')", "sum"),
        "overview.county_units": ("count(*) filter (area_level = 'county')", "sum"),
        "overview.key_counties": ("count(*) filter (area_level = 'county' and key_county)", "sum"),
        "overview.poor_villages": ("count(*) filter (area_level = 'village' and poor_village)", "sum"),
    },
    "funds_money": {
        "mutual_funds.funds_2009": (f"sum(amount_fen) filter (kind = 'appropriation' and {_FUND_MONEY})", "sum"),
        "mutual_funds.funds_2009_lgop": (
            f"sum(amount_fen) filter (kind = 'appropriation' and {_FUND_MONEY} and funder_kind = 'central_office')",
            "sum",
        ),
        "funds.received": ("sum(amount_fen) filter (kind = 'appropriation' and line_year = 2009)", "sum"),
        "funds.allocated": ("sum(amount_fen) filter (kind = 'allocation' and line_year = 2009)", "sum"),
        "funds.allocated_earlier": (
            "sum(amount_fen) filter (kind = 'allocation' and line_year < 2009 and counts_on >= date '2009-01-01')",
            "sum",
        ),
        "mutual_funds.funds_allocated": (f"sum(amount_fen) filter (kind = 'allocation' and {_FUND_MONEY})", "sum"),
    },
    "funds_rules": {
        "mutual_funds.standard_small": (
            f"max(high_fen) filter ({_STANDARD} and size_class = 'small' and {_FORCE})",
            "max",
        ),
        "mutual_funds.standard_big": (f"max(high_fen) filter ({_STANDARD} and size_class = 'big' and {_FORCE})", "max"),
        "mutual_funds.old_standard_low": (f"min(low_fen) filter ({_OLD})", "min"),
        "mutual_funds.old_standard_high": (f"max(high_fen) filter ({_OLD})", "max"),
        "mutual_funds.target_villages": (f"max(planned) filter ({_TARGET})", "max"),
        "mutual_funds.target_years": (f"max(years) filter ({_TARGET})", "max"),
        "mutual_funds.years_left": (f"max(years_left) filter ({_TARGET})", "max"),
        "mutual_funds.years_before": (
            "max(years) filter (kind = 'target' and code = 'mutual_funds.pilot' and until_year < 2009)",
            "max",
        ),
    },
    "returns_values": {
        "overview.area": ("sum(value) filter (measure = 'land_area' and value_year = 2009)", "own"),
        "overview.region_population": ("sum(value) filter (measure = 'population' and value_year = 2009)", "own"),
        "overview.key_county_population": (f"sum(value) filter (measure = 'population' and {_KEY} = 2009)", "sum"),
        "overview.key_county_income_total": (
            f"sum(numerator) filter (measure = 'rural_net_income' and {_KEY} = 2009)",
            "sum",
        ),
        "overview.key_county_income_persons": (
            f"sum(denominator) filter (measure = 'rural_net_income' and {_KEY} = 2009)",
            "sum",
        ),
        "overview.key_county_income_total_before": (
            f"sum(numerator) filter (measure = 'rural_net_income' and {_KEY} = 2008)",
            "sum",
        ),
        "overview.key_county_income_persons_before": (
            f"sum(denominator) filter (measure = 'rural_net_income' and {_KEY} = 2008)",
            "sum",
        ),
        "returns.funds_repaid_reported": (
            (
                "sum(numerator) filter (measure = 'mutual_fund_repayment_rate' and area_level = 'county' and "
                "value_year = 2009)"
            ),
            "sum",
        ),
        "returns.funds_due_reported": (
            (
                "sum(denominator) filter (measure = 'mutual_fund_repayment_rate' and area_level = 'county' and "
                "value_year = 2009)"
            ),
            "sum",
        ),
    },
}


def cells(files: dict[str, str]) -> dict[str, dict[int, Any]]:
    """Figure -> area -> value, for every area with itself and all below it; nothing where nothing was counted."""
    found: dict[str, dict[int, Any]] = {}
    with duckdb.connect() as duck:
        duck.execute(
            "CREATE TABLE above AS SELECT area_id, unnest(list_distinct([region_id, prefecture_id, county_id, "
            "township_id, village_id]))"
            f" AS place FROM '{files['places']}'"
        )
        for table, figures in TABLES.items():
            if table not in files:
                continue
            low = ", ".join(
                f"{count.replace('filter (', 'filter (where ')} AS c{n}"
                for n, (count, _) in enumerate(figures.values())
            )
            up = ", ".join(_up(how, f"c{n}") for n, (_, how) in enumerate(figures.values()))
            rows = duck.execute(
                f"SELECT place, {up} FROM (SELECT area_id, {low} FROM '{files[table]}' GROUP BY area_id)"
                " JOIN above USING (area_id) WHERE place IS NOT NULL GROUP BY place"
            ).fetchall()
            for n, figure in enumerate(figures, start=1):
                found[figure] = {row[0]: row[n] for row in rows if row[n]}
    return found


def _up(how: str, column: str) -> str:
    if how == "own":  # its own number; nobody between a county and the region sends one
        return f"coalesce(max({column}) filter (where place = area_id), sum({column}))"
    return f"count(DISTINCT {column})" if how == "count distinct" else f"{how}({column})"
