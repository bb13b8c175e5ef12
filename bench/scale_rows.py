"""Writes the files of a made-up region that grows in breadth: areas, lists, lines of money, societies, returns. Holds
no measurement.

The reference year grows in depth alone: more households in the same villages. The sheets that hold one row for an area,
a society or a line of money grow here, with the number of areas. Sheets of a handful of rows begin with `LEAST`, so
that growth is seen.
"""

from pathlib import Path

import duckdb

REGION = "990000"
LEAST = 500
COUNTIES, TOWNSHIPS, VILLAGES, LISTED, SOCIETIES, OLD, GRANTS = 22, 259, 2_912, 1_512, 428, 108, 320

_CODES = """
CREATE TABLE county AS SELECT n, format('99{{:04}}', n + 1) AS code FROM range({counties}) r (n);
CREATE TABLE township AS SELECT n, n % {counties} AS county, format('T{{:06}}', n + 1) AS code
    FROM range({townships}) r (n);
CREATE TABLE village AS SELECT n, n % {townships} AS township, (n % {townships}) % {counties} AS county,
    format('V{{:07}}', n + 1) AS code
  FROM range({villages}) r (n);
CREATE TABLE society AS SELECT n, code, county, n % 4 = 0 AND n // 4 < {old} AS old,
    row_number() OVER (PARTITION BY n % 4 = 0 ORDER BY n) AS nth
  FROM village WHERE n < {societies};
"""
# In the order of loading. Money goes region -> county -> society on the county's own line, each time less than came in.
_FILES = {
    "places": """SELECT 'county' AS level, code, '{region}' AS parent_code, 'County ' || n AS name_en,
        '2000-01-01' AS valid_from FROM county
      UNION ALL SELECT 'township', t.code, c.code, 'Township ' || t.n, '2000-01-01' FROM township t JOIN county c
          ON c.n = t.county
      UNION ALL SELECT 'village', v.code, t.code, 'Village ' || v.n, '2000-01-01' FROM village v JOIN township t
          ON t.n = v.township""",
    "designations": """SELECT code AS area_code, 'poor_village' AS list, '2006-01-01' AS valid_from,
        'list of poor villages' AS document
      FROM village WHERE n < {listed} ORDER BY n""",
    "source_lines": """SELECT 'L' || n AS line_code, 'Line ' || n AS line_name, 'F' || n % 7 AS funder_code,
        'Funder ' || n % 7 AS funder_name,
      'donor' AS funder_kind, 'mutual_funds' AS programme, 2009 AS year, 'document ' || n AS document_no
          FROM range({least}) r (n)""",
    "grant_standards": """SELECT CASE WHEN n < 2 THEN 'mutual_funds' ELSE 'programme_' || n // 2 END AS programme,
      ['small', 'big'][1 + n % 2] AS size_class, 100000 AS low, 300000 AS high, '2006-01-01' AS valid_from,
          'standards' AS document_no
      FROM range({least}) r (n)""",
    "plan_targets": """SELECT 'target_' || n AS code, 'Plan ' || n AS label, n AS planned, 'villages' AS unit,
        2009 AS from_year, 2011 AS until_year,
      '2009-01-01' AS valid_from, 'plan' AS document_no FROM range({least}) r (n)""",
    "appropriations": """SELECT 'APP-' || n AS reference, 'L' || n AS line_code,
        date '2009-02-01' + (n % 20)::int AS happened_on,
      100000000 AS amount, 'document ' || n AS document_no FROM range({least}) r (n)""",
    "allocations": """SELECT 'ALLOC-' || r.n AS reference, 'L' || c.n AS line_code,
        date '2009-03-01' + (r.n % 20)::int AS happened_on,
      500000 AS amount, 'document ' || r.n AS document_no, c.code AS county FROM range({least}) r (n) JOIN county c
          ON c.n = r.n % {counties}
      ORDER BY r.n""",
    "societies": """SELECT code AS village, 'Society ' || n AS name, CASE WHEN old THEN '2007-03-01'
        ELSE '2009-02-01' END AS founded_on,
      CASE WHEN old THEN 'old' ELSE 'small' END AS size_class, 5000 AS loan_cap, 365 AS term_cap_days,
          0.8 AS fee_rate_month,
      200 AS contribution_min, 5000 AS contribution_max, 'fee_first' AS allocation_order, 'surplus' AS write_off_pot,
          1 AS open_loans_max,
      1 AS instalments, 50 AS min_members, 50 AS min_poor_share, 90 AS extension_days FROM society ORDER BY n""",
    "society_openings": """SELECT code AS village, 180000 AS "grant", 20000 AS contributions, 1000 AS surplus,
        150000 AS bank, 51000 AS loans
      FROM society WHERE old ORDER BY n""",
    "grants": """SELECT s.code AS village, 'L' || s.county AS source_line,
        date '2009-04-01' + (s.n % 20)::int AS granted_on, 200000 AS amount,
      'order of county ' || s.county AS document FROM society s WHERE NOT s.old ORDER BY s.n LIMIT {grants}""",
    "returns": """SELECT m.measure, c.code AS area, m.year, m.value, m.numerator, m.denominator, m.unit,
        'statistics' AS document FROM county c, (VALUES
      ('land_area', 2009, 3000, NULL, NULL, 'km2'), ('population', 2009, 200000, NULL, NULL, 'persons'),
      ('rural_net_income', 2009, 3000, 300000000, 100000, 'yuan'), ('mutual_fund_repayment_rate', 2009, 100, 5000,
          5000, 'percent'))
      m (measure, year, value, numerator, denominator, unit) ORDER BY c.n""",
}

SHEETS = tuple(_FILES)


def write(out: Path, times: int) -> list[tuple[Path, str]]:
    """Writes the region's files at a multiple of its size; their paths with their sheets, in the order of loading."""
    out.mkdir(parents=True, exist_ok=True)
    sizes = {
        "region": REGION,
        "counties": COUNTIES * times,
        "townships": TOWNSHIPS * times,
        "villages": VILLAGES * times,
        "listed": LISTED * times,
        "societies": SOCIETIES * times,
        "old": OLD * times,
        "grants": GRANTS * times,
        "least": LEAST * times,
    }
    written = []
    with duckdb.connect() as db:
        db.execute(_CODES.format(**sizes))
        for number, (sheet, select) in enumerate(_FILES.items(), 1):
            path = out / f"{number:02}-{sheet}.csv"
            db.execute(f"COPY ({select.format(**sizes)}) TO '{path}' (HEADER)")
            written.append((path, sheet))
    return written
