"""A month of payments over HTTP through real services, on Kafka and PostgreSQL.

The oracle agrees, the books balance and name the offsets of each partition that they cover, and
neither a replay nor a redrive changes what was right.
"""

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from cli_session import command
from click.testing import Result
from kafka_logs import PARTITIONS, new_place
from kept_days import check_kept_days
from payment_positions import kept, unaccounted
from payment_services import Services, running_services

from clearhouse.landing import Landing
from clearhouse.log.log import partition_of
from clearhouse.log.opening import LogPlace
from clearhouse.log.scan import scan
from clearhouse.payments.log_opening import open_payment_log, prepare_payment_log
from clearhouse.payments.normalizer.archive import BLOCK, archived
from clearhouse.payments.topics import EVENTS, WEBHOOKS
from clearhouse.sandbox.payments.accounts import STRIPE_KEY
from clearhouse.sandbox.payments.options import PaymentOptions
from clearhouse.sandbox.payments.oracle import differences, message_differences
from clearhouse.sandbox.payments.sender import send
from clearhouse.sandbox.payments.world import World
from clearhouse.sandbox.server import running_sources
from stack.commands import Stack
from stack.server import Server

SEED = 11
WEBHOOKS_SENT = 2_000
TODAY = dt.date(2026, 11, 1)


@dataclass
class Month:
    """What was sent and worked off, with the services still running."""

    home: Path
    settings: dict[str, str]
    world: World
    services: Services

    def command(self, *args: object) -> Result:
        done = command(self.home, *args, **self.settings)
        assert done.exit_code == 0, done.output
        return done

    @property
    def days(self) -> tuple[str, ...]:
        """Those on which it was sent, as options of a command."""
        found = {r.appended_at.date() for r in scan(self.services.log, WEBHOOKS.name)}
        return "--from", str(min(found)), "--to", str(max(found))

    def entries(self) -> list[dict[str, Any]]:
        """The books, measured again, after all that has come is archived and entered."""
        self.services.until_settled()
        self.command("replay", "payments", *self.days)  # it archives what the log holds first
        self.command("run", "payments", *self.days)
        entries: list[dict[str, Any]] = json.loads(
            self.command("books", "--domain", "payments", "--json").stdout
        )["entries"]
        return entries


def prepared(stack: Stack) -> LogPlace:
    """Where a log of payments is that nobody else uses."""
    place = new_place(stack.settings["LOG_URL"])
    prepare_payment_log(place)
    return place


@pytest.fixture(scope="module")
def month(
    tmp_path_factory: pytest.TempPathFactory, stack: Stack, server: Server
) -> Iterator[Month]:
    home = tmp_path_factory.mktemp("payments")
    place = prepared(stack)
    world = World(SEED, WEBHOOKS_SENT, today=TODAY)
    options = PaymentOptions(seed=SEED, webhooks=WEBHOOKS_SENT, today=TODAY)
    with running_sources({"payment_providers": options}) as urls:
        settings = {
            "LOG_URL": place.url,
            "PAYMENTS_DATABASE_URL": server.database("payments_on_kafka"),
            "STRIPE_API_URL": urls["payment_providers"],
            "STRIPE_API_KEY": STRIPE_KEY,
        }
        with running_services({"CLEARHOUSE_HOME": str(home), **settings}) as services:
            services.until_ready()
            report = send(world.deliveries, services.url)
            assert {n for n in report.given_up if not world.deliveries[n].is_forged} == set()
            services.until_settled()
            yield Month(home, settings, world, services)


def test_the_oracle_agrees_and_every_webhook_has_one_end(month: Month) -> None:
    services, world = month.services, month.world
    assert differences(world, services.store) == []
    assert message_differences(world, services.log) == []
    assert unaccounted(services.log, services.store) == []
    spread = Counter(partition_of(r.position) for r in scan(services.log, EVENTS.name))
    assert len(spread) == PARTITIONS


def test_entries_balance_and_name_the_offsets_of_each_partition(month: Month) -> None:
    entries = month.entries()

    streams = [each for each in entries if "covers" in each]
    assert {each["status"] for each in entries} == {"balanced"}
    assert {each["hop"] for each in streams} == {
        "webhooks → raw", "webhooks → events", "events → store",
    }  # fmt: skip
    sent = sum(1 for _ in scan(month.services.log, WEBHOOKS.name))
    for hop in ("webhooks → events", "webhooks → raw"):
        of_hop = [each for each in streams if each["hop"] == hop]
        assert sum(each["totals"]["in"]["records"] for each in of_hop) == sent
    for each in streams:
        topic, *ranges = each["covers"].split()
        assert topic == WEBHOOKS.name
        assert [named.partition(":")[0] for named in ranges] == ["0", "1", "2"]


def test_a_webhook_is_archived_once_wherever_it_stands(month: Month) -> None:
    month.command("replay", "payments", *month.days)  # it archives what the log holds first
    assert archived_positions(month) == positions(month)


def archived_positions(month: Month) -> list[int]:
    landing = Landing.from_url(f"file://{month.home}/landing")
    days = {r.appended_at.date() for r in scan(month.services.log, WEBHOOKS.name)}
    return sorted(each.position for day in days for each in archived(landing, day))


def positions(month: Month) -> list[int]:
    return sorted(record.position for record in scan(month.services.log, WEBHOOKS.name))


def test_a_replay_finds_all_unchanged_and_appends_nothing(month: Month) -> None:
    before = list(kept(month.services.log))

    report = json.loads(
        month.command("replay", "payments", *month.days, "--apply", "--json").stdout
    )

    assert report["webhooks"] == sum(1 for _ in scan(month.services.log, WEBHOOKS.name))
    assert (report["new"], report["differing"]) == ([], [])
    assert list(kept(month.services.log)) == before


def test_a_redrive_conserves(month: Month) -> None:
    services, world = month.services, month.world
    open_letters = json.loads(month.command("dlq", "list", "--json").stdout)
    codes = Counter(each["code"] for each in open_letters if each["stage"] == "normalizer")
    assert codes

    # Each redrive is a transaction, whose marks are gaps between positions to what comes next.
    for _ in range(2):
        month.command("dlq", "redrive", "--stage", "normalizer", "--apply")
        services.until_settled()

    assert unaccounted(services.log, services.store) == []
    assert differences(world, services.store) == []
    again = json.loads(month.command("dlq", "list", "--json").stdout)
    assert Counter(e["code"] for e in again if e["stage"] == "normalizer") == codes
    assert {each["status"] for each in month.entries()} == {"balanced"}
    found = positions(month)
    assert archived_positions(month) == found
    assert any(before + 1 < after < before + BLOCK for before, after in pairwise(found))


def test_days_are_measured_of_which_nothing_is_forgotten(stack: Stack) -> None:
    with closing(open_payment_log(prepared(stack))) as log:
        check_kept_days(log)
