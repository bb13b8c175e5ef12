"""What is typed into a form's numbers and days means what it means in a file, or is refused; no form of any room reads
otherwise.
"""

import pkgutil
from datetime import date
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest
from django import forms

import karez
from karez.access.pages import DayField, NumberField, WholeField, YearField, YuanField
from karez.register.forms import MonthField

READ = [
    (DayField(), "2009-03-31", date(2009, 3, 31)),
    (DayField(), "２００９年３月３１日", date(2009, 3, 31)),
    (DayField(), "2009/3/4 0:00", date(2009, 3, 4)),
    (DayField(), "01/12/2009", None),
    (DayField(), "Mar 31 2009", None),
    (DayField(), "9999-12-31", None),
    (DayField(), "2009-02-30", None),
    (MonthField(), "1970-03", date(1970, 3, 1)),
    (MonthField(), "1970年3月", date(1970, 3, 1)),
    (MonthField(), "03/1970", None),
    (YearField(), "2009", 2009),
    (YearField(), "２００９年", 2009),
    (YearField(), "9999", None),
    (YearField(), "2,009", None),
    (YearField(), "1e3", None),
    (NumberField(decimals=4), "1,234.5", Decimal("1234.5")),
    (NumberField(decimals=4), "１２.5", Decimal("12.5")),
    (NumberField(decimals=4), "1.0800", Decimal("1.08")),
    *(
        (NumberField(decimals=4), text, None)
        for text in ("1.080", "1e5", "1,08", "NaN", "Infinity", "1.23456", "1 080", "٥")
    ),
    (WholeField(), "1,080", 1080),
    (WholeField(), "1.080", None),
    (WholeField(), "1e3", None),
    (YuanField(), "1,200.50", 120050),
    (YuanField(), "1.080", None),
]


@pytest.mark.parametrize(("field", "text", "wanted"), READ)
def test_what_is_typed_means_what_it_means_in_a_file(field: forms.Field, text: str, wanted: Any) -> None:
    try:
        found = field.clean(text)
    except forms.ValidationError:
        found = None
    assert found == wanted


def test_no_form_reads_numbers_or_days_in_a_way_of_its_own() -> None:
    for room in pkgutil.walk_packages(karez.__path__, "karez."):
        if room.name.rsplit(".", 1)[-1].endswith(("views", "forms", "people")) and ".tests" not in room.name:
            import_module(room.name)
    ours = (DayField, MonthField, NumberField, WholeField, YearField)
    theirs = (forms.DateField, forms.DecimalField, forms.FloatField, forms.IntegerField, forms.DateTimeField)
    found = [
        f"{form.__module__}.{form.__name__}.{name}"
        for form in _all(forms.Form)
        if form.__module__.startswith("karez.")
        for name, field in form.base_fields.items()
        if isinstance(field, theirs) and not isinstance(field, ours)
    ]
    assert found == []


def _all(of: type[Any]) -> list[type[Any]]:
    return [one for child in of.__subclasses__() for one in (child, *_all(child))]
