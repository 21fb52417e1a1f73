"""Payments from the log and the store to the marts: proven, robbed, grown, forgotten."""

import datetime as dt
import json
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result
from payment_lives import an_event
from payments_home import DEAD, NOT_MAPPED, Home

from clearhouse.payments.event import EventType, PaymentEvent
from clearhouse.payments.topics import EVENTS, WEBHOOKS
from clearhouse.pipeline.tamper import tamper

MONDAY, TUESDAY = dt.date(2026, 3, 9), dt.date(2026, 3, 10)
DONE, INCOMPLETE, UNBALANCED = 0, 1, 4
FEE = 59


def _paid(n: int) -> list[PaymentEvent]:
    of = {"payment_id": f"pi_{n}", "customer_id": "cus_1", "method": "card"}
    return [
        an_event(EventType.AUTHORIZED, 0, event_id=f"stripe:auth_{n}", **of),
        an_event(
            EventType.CAPTURED, 1, event_id=f"stripe:cap_{n}", capture_id=f"ch_{n}",
            fee_minor=FEE, **of,
        ),
    ]  # fmt: skip


PAID = [event for n in range(4) for event in _paid(n)]
LATER = [
    an_event(
        EventType.REFUNDED, 9, event_id="stripe:re_0", payment_id="pi_0", refund_id="re_0",
        amount_minor=400,
    ),
    an_event(
        EventType.FUNDS_WITHDRAWN, 9, event_id="stripe:du_1", payment_id="pi_1", dispute_id="du_1"
    ),
    an_event(
        EventType.PENDING, 9, event_id="stripe:wait_9", payment_id="pi_9", amount_minor=None,
        currency=None,
    ),
    an_event(EventType.PAYOUT_SENT, 9, event_id="stripe:po_1", payout_id="po_1", amount_minor=700),
]  # fmt: skip


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Two days, published; of Monday one webhook was dead-lettered, one not mapped, one doubled.

    Tuesday ends with webhooks that no event is made of.
    """
    home = Home(tmp_path_factory.mktemp("payments") / "home")
    home.receive(MONDAY, [*PAID, DEAD, NOT_MAPPED, PAID[1]])
    home.receive(TUESDAY, [*LATER, DEAD, NOT_MAPPED])
    ran = home.run(MONDAY, TUESDAY)
    assert ran.exit_code == DONE, (ran.exception, ran.stderr)
    return home


@pytest.fixture
def home(published: Home, tmp_path: Path) -> Iterator[Home]:
    """The same, which is put back as it was when the test is over.

    The folder stays: the processes that a command leaves to the next one stand in it.
    """
    kept = shutil.copytree(published.home, tmp_path / "kept")
    yield published
    for path in published.home.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    shutil.copytree(kept, published.home, dirs_exist_ok=True)


def _rows(books: Result, hop: str) -> list[str]:
    return [line for line in books.output.splitlines() if hop in line]


def test_what_came_is_proven_from_the_webhooks_to_the_marts(published: Home) -> None:
    books = published.command("books", "--domain", "payments")
    first, second, _ = _rows(books, "webhooks → events")
    assert "11    9  1 rejected, 1 ignored" in first
    assert "6    4  1 rejected, 1 ignored" in second
    assert "1 duplicate" in _rows(books, "events → store")[0]
    balance = published.read(
        "SELECT account_code, balance_minor FROM marts.payment_trial_balance ORDER BY 1"
    )
    assert balance == [
        ("bank", 700),
        ("clearing", 4_000 - 4 * FEE - 400 - 1_000 - 700),
        ("disputes", 1_000),
        ("fees", 4 * FEE),
        ("merchant_payable", -3_600),
    ]
    payments = published.read("SELECT payment_id, status, captured_minor, refunded_minor, "
                              "disputed_minor FROM marts.payments ORDER BY 1")  # fmt: skip
    assert payments == [
        ("pi_0", "partially_refunded", 1_000, 400, 0),
        ("pi_1", "captured", 1_000, 0, 1_000),
        ("pi_2", "captured", 1_000, 0, 0),
        ("pi_3", "captured", 1_000, 0, 0),
        ("pi_9", "pending", 0, 0, 0),
    ]


def test_a_run_that_finds_nothing_new_extracts_nothing(home: Home) -> None:
    again = home.run(MONDAY, TUESDAY)

    assert again.exit_code == DONE
    assert again.output.count("2 unchanged") == 7


def _from_log(topic: str, position: int) -> Callable[[Home], None]:
    def rob(home: Home) -> None:
        with sqlite3.connect(home.home / "log.db") as log:
            sql = "SELECT number FROM topic WHERE name = ?"
            (number,) = log.execute(sql, (topic,)).fetchone()
            log.execute(f"DELETE FROM messages_{number} WHERE position = ?", (position,))

    return rob


def _spoil(home: Home, topic: str, position: int) -> None:
    with sqlite3.connect(home.home / "log.db") as log:
        sql = "SELECT number FROM topic WHERE name = ?"
        (number,) = log.execute(sql, (topic,)).fetchone()
        log.execute(f"UPDATE messages_{number} SET value = X'00FF' WHERE position = ?", (position,))


def _from_store(sql: str) -> Callable[[Home], None]:
    def rob(home: Home) -> None:
        with sqlite3.connect(home.home / "payments.db") as store:
            assert store.execute(sql).rowcount == 1

    return rob


def _from_archive(home: Home) -> None:
    for path in home.home.glob("landing/raw/payments_webhooks/**/day=09/*"):
        path.unlink()


def _from_gold(home: Home) -> None:
    with home.opened() as run:
        assert tamper(run, "steal", 1) == 1


THEFTS: list[tuple[Callable[[Home], None], list[tuple[str, str]]]] = [
    (
        _from_log(WEBHOOKS.name, 3),
        [
            ("webhooks → raw", "+1 record, 0 XXX: 3"),
            ("webhooks → events", "+1 record, 0 XXX: 3"),
        ],
    ),
    (_from_log(EVENTS.name, 1), [("webhooks → events", "−1 record, 0 XXX: 1")]),
    (
        _from_store("DELETE FROM delivery WHERE event_id = 'stripe:cap_2'"),
        [("events → store", "−1 record, −10.00 USD: stripe:cap_2")],
    ),
    (
        _from_store("DELETE FROM payment_event WHERE event_id = 'stripe:cap_1'"),
        [("events: source → landing", "+1 record, +10.00 USD: stripe:cap_1")],
    ),
    (
        _from_store(
            "UPDATE payment_event SET line = replace(CAST(line AS TEXT), '1000', '1001') "
            "WHERE event_id = 'stripe:cap_3'"
        ),
        [("events: source → landing", "stripe:cap_3")],
    ),
    (_from_gold, [("events: silver → gold", "−1 record")]),
]
"""Each from another store, or of another record there: none hides what is told of another one."""


def test_each_stolen_row_is_named_at_its_hop(home: Home) -> None:
    for rob, _ in THEFTS:
        rob(home)

    books = home.command("books", "--domain", "payments")

    assert books.exit_code == UNBALANCED
    for hop, named in (told for _, some in THEFTS for told in some):
        assert _is_told(books, hop, named), f"{hop}: {named}\n{books.output}"


def test_an_archive_that_is_gone_is_named(home: Home) -> None:
    _from_archive(home)

    books = home.command("books", "--domain", "payments")

    assert books.exit_code == UNBALANCED
    assert _is_told(books, "webhooks → raw", "−1 record, 0 XXX: 3"), books.output


def _is_told(books: Result, hop: str, named: str) -> bool:
    """Whether a finding of the hop, or what belongs to it, names a record."""
    lines = books.output.splitlines()
    of_hop = [line for line in lines if line.startswith(f"{hop}, ")]
    return any(named in line for line in of_hop)


@pytest.mark.parametrize(
    ("topic", "hop"), [(WEBHOOKS.name, "webhooks → raw"), (EVENTS.name, "webhooks → events")]
)
def test_a_record_of_the_log_that_can_not_be_read_is_named_and_stops_no_other(
    home: Home, topic: str, hop: str
) -> None:
    _spoil(home, topic, 3)

    found = home.command("books", "--domain", "payments")

    assert found.exit_code == UNBALANCED
    assert f"{hop}, {MONDAY}" in found.output


def test_webhooks_that_no_event_follows_do_not_wait_for_the_worker(home: Home) -> None:
    home.receive(TUESDAY, [*_paid(8), NOT_MAPPED, DEAD])

    ran = home.run(MONDAY, TUESDAY)

    assert ran.exit_code == DONE, ran.stderr


def test_a_day_that_grew_is_extracted_whole_and_what_had_landed_is_a_duplicate(home: Home) -> None:
    home.receive(TUESDAY, _paid(7))

    ran = home.run(MONDAY, TUESDAY)

    assert ran.exit_code == DONE, ran.stderr
    assert "landed are pulled again" not in ran.stderr
    books = home.command("books", "--domain", "payments")
    assert books.exit_code == DONE
    assert "4 duplicate" in _rows(books, "events: landing → bronze")[1]
    assert home.read("SELECT status FROM marts.payments WHERE payment_id = 'pi_7'") == [
        ("captured",)
    ]


def test_webhooks_that_wait_are_on_neither_side_and_told_of(home: Home) -> None:
    home.receive(TUESDAY, _paid(8), normalize=False)

    ran = home.run(MONDAY, TUESDAY)

    assert ran.exit_code == INCOMPLETE
    assert "2 of its webhooks are still to be normalized" in ran.stderr + ran.output
    assert home.command("books", "--domain", "payments").exit_code == DONE
    assert home.command("close", "payments", "--date", MONDAY).exit_code == DONE
    refused = home.command("close", "payments", "--date", TUESDAY)
    assert refused.exit_code == INCOMPLETE
    assert "2 of its webhooks are still to be archived" in str(refused.exception)


def test_a_day_that_the_log_has_forgotten_stays_as_it_was_entered(home: Home) -> None:
    with home.log() as log:
        log.age_out({topic.name: [log.end(topic.name)] for topic in (WEBHOOKS, EVENTS)})

    assert home.run(MONDAY, TUESDAY).exit_code == DONE
    books = home.command("books", "--domain", "payments")
    assert books.exit_code == DONE
    assert "11    9" in _rows(books, "webhooks → events")[0]


def test_a_lost_object_of_a_day_that_the_log_has_forgotten_is_named(home: Home) -> None:
    with home.log() as log:
        log.age_out({WEBHOOKS.name: [log.end(WEBHOOKS.name)]})
    _from_archive(home)

    assert home.run(MONDAY, TUESDAY).exit_code == DONE  # what the log has forgotten stays entered
    found = home.command("books", "--domain", "payments")

    assert found.exit_code == UNBALANCED
    assert f"webhooks → raw, {MONDAY}" in found.output
    assert "−1 record, 0 XXX: 3" in found.output
    assert f"webhooks → raw, {TUESDAY}" not in found.output


def test_a_corrected_row_is_no_invented_one(home: Home) -> None:
    broken = an_event(
        EventType.AUTHORIZED, 0, event_id="stripe:odd", payment_id="pi_odd", card_last4="12ab"
    )
    home.receive(TUESDAY, [broken])
    home.run(MONDAY, TUESDAY)
    (row,) = json.loads(home.command("quarantine", "list", "--json").stdout)

    mended = home.command(
        "quarantine", "redrive", "--id", row["record_id"], "--set", 'card_last4="1234"'
    )

    assert mended.exit_code == DONE, mended.output
    books = home.command("books", "--domain", "payments")
    assert books.exit_code == DONE, books.output
    assert home.read("SELECT card_last4 FROM marts.payments WHERE payment_id = 'pi_odd'") == [
        ("1234",)
    ]


def test_where_no_service_ever_ran_a_day_is_empty_and_balanced(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")

    ran = home.run(MONDAY, MONDAY)

    assert ran.exit_code == DONE, (ran.exception, ran.stderr)
    assert home.command("books", "--domain", "payments").exit_code == DONE
    assert home.read("SELECT count(*) FROM marts.payments") == [(0,)]


def test_a_closed_day_is_reckoned_again_by_its_commands(home: Home) -> None:
    closed = home.command("close", "payments", "--date", MONDAY)

    assert closed.exit_code == DONE, closed.stderr
    commands = [c for c in closed.output.split("\n# ")[1:] if c.startswith("events: ")]
    for command in commands:
        answer = subprocess.run(
            command.partition("\n")[2], shell=True, cwd=home.home, capture_output=True, text=True,
            check=True,
        )  # fmt: skip
        assert "records|8" in answer.stdout
        assert "minor:USD|8000" in answer.stdout
    assert len(commands) == 3
