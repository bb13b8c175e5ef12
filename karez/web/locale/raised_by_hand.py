"""Texts people are told, and that stand in books, that no reading of the source finds, each with where it is put
together. Holds no translation.
"""

BY_HAND = (
    "at least {1}",
    "at most {1}",
    "at least {1} yuan",
    "at most {1} yuan",
    "days",
    "households",
    "percent",
    "persons",
    "yuan",  # units of columns
    "one of {1}",
    "written as {1}",  # kernel/sheets.py: bounds of a column
    "once in a file; it stands first in row {1}",
    "keep the right one of the rows",  # intake/staging.py: rows that are there twice
    "({1} characters, not shown)",
    "(1 character, not shown)",
    "column {1} ({2} characters, not shown)",  # intake/telling.py, intake/typing.py
    "column {1} (1 character, not shown)",
    "{1} row of {2} counts from {3}",
    "{1} of another village",
    "in household {1} of another village",
    "{1}, on record as {2}, dissolved {3}",
    "elsewhere",  # register/sheets.py
    "{1} and {2} more",  # intake/applying.py: rows named
    "the same as row {1}",
    "in batch {1}, last recorded on {2}",
    "entered by hand, last recorded on {1}",  # intake/sameness.py
    "{1} rows of {2} count from {3}",  # intake/days.py
    "the number says another month of birth",
    "the number says another sex",  # kernel/id_number.py
    "the number says another month of birth and another sex",
    "received",
    "staging",
    "checked",
    "faulty",
    "applying",
    "applied",
    "withdrawn",
    "refused",  # states of a batch,
    "open",
    "prepared",
    "closing",
    "closed",
    "draft",
    "reviewed",
    "signed",  # of a year and of an edition
    "registered",
    "fund_member_only",
    "region",
    "prefecture",
    "county",
    "township",
    "village",
    "area",
    "a {1}",
    "account {1}",
    "book {1}",
    "cash count {1}",  # of a kind and its number
    "assessment {1}",
    "membership {1}",
    "case {1}",
    "death {1}",
    "Society {1}",
    "Key ({1})=({2}) already exists.",
    "Key ({1})=({2}) conflicts with existing key ({3})=({4}).",
    "{1} rows of {2}",
    'duplicate key value violates unique constraint "{1}"',
    'conflicting key value violates exclusion constraint "{1}"',
    'new row for relation "{1}" violates check constraint "{2}"',
    'insert or update on table "{1}" violates foreign key constraint "{2}"',
    "land area {1}",
    "residents at the end of the year {1}",
    "rural net income per head {1}",  # returns: measures and their year
    "repayment rate of village mutual funds, as reported {1}",
    "{1} (process {2}, since {3})",
    "a program",  # closing/sessions.py: who writes at the moment
    "{1} edition {2}",  # publication/models.py
    "{1}: {2}",  # closing/services.py: checks with how many rows are wrong
    "a fault of the program: {1}",  # intake/services.py: what is noted of a defect
    # kernel/refusal.py: a whole refusal, noted on a batch or a year
    "{1}: found {2}; expected {3}; rule: {4}. What to do: {5}.",
    "{1}: found {2}; rule: {3}. What to do: {4}.",
    "{1}: found {2}; expected {3}; rule: {4}.",
    "{1}: found {2}; What to do: {3}.",
)
BOOKS_BY_HAND = (
    "{1} regional office",
    "{1} county office",
    "area {1} regional office",
    "area {1} county office",  # funds/sql/funds.sql: names of books
    "the batch was withdrawn",
    "batch withdrawn",  # mutual_funds/withdrawing.py, funds/loading.py: what a withdrawal writes
    "pending {1}",  # ledger/models.py: a voucher without a number
)
