"""The trial balance and the entries, as a person reads them."""

import datetime as dt
import io

import pytest
from rich.console import Console

from clearhouse.books.audit import Audit
from clearhouse.books.model import Entry, EntryKey, Side, Status, Totals
from clearhouse.cli import balance

DAY = dt.date(2026, 11, 26)
CURRENCIES = ["AUD", "CAD", "CLP", "EUR", "GBP", "HUF", "JPY", "KRW", "TWD", "USD"]
FAR = "settlements: adyen_settlement → landing"


@pytest.fixture
def told(monkeypatch):
    """What a view prints at a width."""

    def at(width, show, *shown):
        file = io.StringIO()
        console = Console(file=file, width=width, highlight=False)
        monkeypatch.setattr(balance, "out", console)
        show(*shown)
        return file.getvalue()

    return at


def _entry(hop, currencies, amount=1_234_567):
    money = {f"minor:{currency}": amount for currency in currencies}
    total = Totals({"records": 2_100, "hash": 122_273, **money})
    key = EntryKey("payments", hop, DAY, "", "")
    return Entry(key, Status.BALANCED, {Side.IN: total, Side.OUT: total})


def _audit(*entries):
    return Audit(entries, ())


MANY = _audit(
    _entry("events → store", CURRENCIES), _entry(FAR, CURRENCIES), _entry("gold → readers", ["USD"])
)


def test_money_in_many_currencies_is_told_once_for_all_rows_that_have_it(told):
    text = told(120, balance.show_trial_balance, MANY)

    assert text.count("10 currencies (1)") == 2
    assert text.count("12,345.67 AUD") == 1
    assert "(1) 12,345.67 AUD, 12,345.67 CAD" in text
    assert text.count("12,345.67 USD") == 2


def test_rows_whose_money_differs_name_different_notes(told):
    differing = _audit(
        _entry("events → store", CURRENCIES), _entry("gold → readers", CURRENCIES, 1_234_566)
    )

    text = told(120, balance.show_trial_balance, differing)

    assert "10 currencies (1)" in text
    assert "10 currencies (2)" in text
    assert "(2) 12,345.66 AUD" in text


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize(
    ("show", "shown"),
    [(balance.show_trial_balance, (MANY,)), (balance.show_entries, ("payments", MANY, {}))],
)
def test_no_figure_is_cut_on_a_narrow_screen(told, width, show, shown):
    text = told(width, show, *shown)

    assert text.count("2,100") == 6
    assert max(map(len, text.splitlines())) <= width


def test_three_currencies_have_a_line_each(told):
    audited = _audit(_entry("gold → readers", ["AUD", "CAD", "USD"]))

    lines = told(120, balance.show_trial_balance, audited).splitlines()

    assert [line.split()[-1] for line in lines if "12,345.67" in line] == ["0", "CAD", "USD"]
