"""Finds the lists and pages of record that rooms declare, by name. Knows no room: any app may have a module `lists`."""

import sys
from functools import cache

from django.apps import apps
from django.utils.module_loading import autodiscover_modules

from karez.access.rules import PERMISSIONS
from karez.kernel.lists import RecordList, RecordPage, Shown
from karez.kernel.refusal import Refusal
from karez.kernel.sheets import Kind

OF_ADDRESSES = frozenset({"q", "place", "sort", "after", "as_of", "as", "what_for"})
_IN_ORDER = frozenset({Kind.TEXT, Kind.CODE, Kind.INTEGER, Kind.FEN, Kind.DATE, Kind.MONTH, Kind.YEAR, Kind.AREA})


@cache
def _declared() -> tuple[dict[str, RecordList], dict[str, RecordPage]]:
    autodiscover_modules("lists")
    modules = [sys.modules.get(f"{config.name}.lists") for config in apps.get_app_configs()]
    lists: dict[str, RecordList] = {}
    pages: dict[str, RecordPage] = {}
    for module in modules:
        lists |= {one.name: one for one in getattr(module, "LISTS", ())}
        pages |= {one.name: one for one in getattr(module, "PAGES", ())}
    faults = [fault for one in lists.values() for fault in faults_of_list(one, lists, pages)]
    faults += [fault for one in pages.values() for fault in faults_of_page(one, lists, pages)]
    assert not faults, "declarations of lists and pages of record:\n" + "\n".join(faults)
    return lists, pages


def lists() -> dict[str, RecordList]:
    """Every declared list by its name."""
    return _declared()[0]


def pages() -> dict[str, RecordPage]:
    """Every declared page of record by its name."""
    return _declared()[1]


def list_named(name: str) -> RecordList:
    """The list of that name; refuses an unknown one as a record that is not there."""
    found = lists().get(name)
    if found is None:
        raise Refusal("not_found.list", record=name, unseen=True)
    return found


def page_named(name: str) -> RecordPage:
    """The page of record of that name; refuses an unknown one as a record that is not there."""
    found = pages().get(name)
    if found is None:
        raise Refusal("not_found.page", record=name, unseen=True)
    return found


def faults_of_list(one: RecordList, lists: dict[str, RecordList], pages: dict[str, RecordPage]) -> list[str]:
    """What is wrong with a declaration of a list."""
    found = _faults_of_values(one.name, one.columns, one.also, one.view, pages)
    known = {shown.name: shown.column.kind for shown in one.columns}
    for sort in one.sorts:
        for name in sort.by:
            if name not in known:
                found.append(f"{one.name}: sort {sort.name} names no column {name}")
            elif known[name] not in _IN_ORDER:
                found.append(f"{one.name}: a {known[name].value} ({name}) gives no order")
        if not sort.index and not one.within:
            found.append(f"{one.name}: sort {sort.name} has no index, and the list is of no single record")
    found += [f"{one.name}: {name} means something else in an address" for name in known if name in OF_ADDRESSES]
    found += [f"{one.name}: no page of record {name}" for name in one.within if name not in pages]
    if not one.sorts:
        found.append(f"{one.name}: no order")
    if one.totals and not one.within:
        found.append(f"{one.name}: totals over a whole table")
    if one.source and "%(within)s" in one.source and len(one.within) != 1:
        found.append(f"{one.name}: its source is of one kind of record, and it names {len(one.within)}")
    return found


def faults_of_page(one: RecordPage, lists: dict[str, RecordList], pages: dict[str, RecordPage]) -> list[str]:
    """What is wrong with a declaration of a page of record."""
    found = _faults_of_values(one.name, one.columns, one.also, one.view, pages)
    known = {shown.name for shown in one.columns}
    if one.documents and one.documents[1] not in {*known, *one.also, "id"}:
        found.append(f"{one.name}: no value {one.documents[1]} for its documents")
    stated = (one.receipt.number, *one.receipt.columns) if one.receipt else ()
    found += [f"{one.name}: no value {name}" for name in stated if name not in known]
    try:
        str(one.title) % dict.fromkeys(known, "")
    except (KeyError, ValueError, TypeError) as fault:
        found.append(f"{one.name}: its title names no value {fault}")
    for part in one.parts:
        if part not in lists:
            found.append(f"{one.name}: no list {part}")
        elif one.name not in lists[part].within:
            found.append(f"{one.name}: the list {part} is not held to it")
    if not one.columns and not one.home:
        found.append(f"{one.name}: a page of no values")
    return found


def _faults_of_values(
    name: str, columns: tuple[Shown, ...], also: object, view: str, pages: dict[str, RecordPage]
) -> list[str]:
    known = [one.name for one in columns] + list(also)  # type: ignore[call-overload]
    found = [f"{name}: two values called {one}" for one in dict.fromkeys(known) if known.count(one) > 1]
    if view not in PERMISSIONS:
        found.append(f"{name}: no permission {view}")
    for one in columns:
        if one.column.identity:
            found.append(f"{name}: {one.name} says who somebody is")
        if one.link is not None:
            named = [*one.link.key.split(), one.link.over]
            found += [f"{name}: the link of {one.name} names no value {key}" for key in named
                      if key and key != "id" and key not in known]  # fmt: skip
            if ":" not in one.link.address and one.link.address not in pages:
                found.append(f"{name}: the link of {one.name} leads to no page of record {one.link.address}")
    return found
