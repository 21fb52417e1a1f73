"""Prometheus scrapes the exporter, answers what the dashboards ask, and applies the rules."""

import datetime as dt
import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from databases import opened
from payment_services import is_ready
from watched import REPOSITORY, TEMPORAL, alerts, metrics_in, panels, query_of

from clearhouse.books import Books, EntryKey, Side, Totals
from clearhouse.books.decisions import Decisions
from clearhouse.books.ledger import Audited
from clearhouse.books.model import Digests, Measured
from clearhouse.books.publications import Publications
from clearhouse.core.contract.rules import Violation
from clearhouse.core.supervisor import Supervisor
from clearhouse.payments.event import Provider
from clearhouse.payments.services import Places
from clearhouse.payments.services import services as of_payments
from clearhouse.sandbox.payments.accounts import sandbox_accounts
from clearhouse.sandbox.payments.sender import SendOptions, SendReport, send
from clearhouse.sandbox.payments.world import World
from clearhouse.store.quarantine import Quarantine, QuarantinedRow
from deploy.native.servers.alertmanager import Alertmanager
from deploy.native.servers.prometheus import Prometheus
from stack.commands import Stack
from stack.server import Server

DAY, NEXT = dt.date(2024, 3, 9), dt.date(2024, 3, 10)
BRONZE, GOLD = "landing → bronze", "silver → gold"
PATIENCE_S = 60  # a scrape and an evaluation of the rules come every 15 s


@pytest.fixture(scope="module")
def promtool() -> Path:
    return Prometheus().install().programs / "promtool"


@pytest.fixture(scope="module")
def books(server: Server) -> str:
    """The URL of books in which there is something of everything that is exported."""
    url = server.database("watched")
    engine = opened(url)
    books, decisions = Books(engine), Decisions(engine)
    held = key_of(GOLD, DAY)
    books.close(
        {
            key_of(BRONZE, DAY): measured(3, 2),
            key_of(BRONZE, NEXT): measured(4, 3, rejected=1),
            held: measured(3, 3),
            key_of(GOLD, NEXT): measured(3, 3),
            EntryKey("payments", "webhooks → events", DAY, "input", "code"): measured(3, 3),
        },
        "run",
    )
    books.open([key_of("gold → readers", DAY)], "run")
    decisions.record("raw", "v1", {held.entry_id: (False, ["half a day"])}, "run")
    Publications(engine).add("bnpl", {"bnpl.purchases": {DAY: held.entry_id}}, "run")
    books.add_audit(Audited("bnpl", DAY, NEXT, 5, 6, "{}"), [(GOLD, DAY, "−1 record")], "run")
    row = QuarantinedRow(
        "bnpl.purchases",
        DAY,
        "id",
        "key",
        "raw/1",
        1,
        (Violation("", "missing", ""),),
        b"{}",
        0,
        "USD",
    )
    Quarantine(engine).replace("bnpl.purchases", {DAY: ("e1", [row])})
    engine.dispose()
    return url


def key_of(hop: str, day: dt.date) -> EntryKey:
    return EntryKey("bnpl", hop, day, "input", "code")


def measured(entering: int, leaving: int, rejected: int = 0) -> Measured:
    """Records of ten cents each."""
    sides = {Side.IN: entering, Side.OUT: leaving, Side.REJECTED: rejected}
    totals = {side: Totals({"records": n, "minor:USD": 10 * n}) for side, n in sides.items()}
    return Measured(totals, Digests("5e1", "5e1"))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def exporter(stack: Stack, books: str, home: Path) -> Iterator[str]:
    """`clearhouse exporter`, where the stack's Prometheus looks for it; its URL."""
    target = stack.variables["STACK_EXPORTER_TARGETS"]
    variables = {"CLEARHOUSE_HOME": str(home), "DATABASE_URL": books}
    child = subprocess.Popen(
        [sys.executable, "-m", "clearhouse", "exporter", "--port", target.rpartition(":")[2]],
        cwd=home,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == f"metrics of the books at http://{target}/metrics\n"
        yield f"http://{target}/metrics"
    finally:
        child.terminate()
        child.wait(timeout=30)


@pytest.fixture(scope="module")
def services(stack: Stack, home: Path) -> Iterator[None]:
    """The services of payments, where the stack's Prometheus looks for them, at some work."""
    ports = {
        name: int(stack.variables[f"STACK_{name.upper()}_TARGETS"].rpartition(":")[2])
        for name in ("gateway", "normalizer", "worker", "inference")
    }
    places = Places(
        gateway=ports["gateway"],
        inference=ports["inference"],
        health={name: ports[name] for name in ("normalizer", "worker")},
    )
    children = of_payments(
        places, {"CLEARHOUSE_HOME": str(home)}, of_sandbox=True, has_starter=False
    )
    with Supervisor(children, lambda _name, _line: None).keeping_on():
        eventually(lambda: is_ready(places.gateway_url))
        stripe = next(each for each in sandbox_accounts() if each.provider is Provider.STRIPE)
        unsigned = httpx.post(f"{places.gateway_url}/webhooks/stripe/{stripe.name}", content=b"{}")
        assert unsigned.status_code == 401
        world = World(7, 300)
        send(world.deliveries, places.gateway_url, SendOptions(4), report=SendReport())
        yield


@pytest.fixture(scope="module")
def ask(stack: Stack, exporter: str, services: None) -> Callable[..., Any]:
    """Prometheus's API, once it has scraped the exporter."""

    def asked(path: str, **parameters: str) -> Any:
        url = f"{stack.settings['PROMETHEUS_URL']}/api/v1/{path}"
        try:
            with urllib.request.urlopen(f"{url}?{urllib.parse.urlencode(parameters)}") as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{parameters}: {error.read().decode()}") from None

    firsts = (
        "clearhouse_books_up",
        'up{job="gl"}',
        *("max(worker_outbox) == 0", "sum(worker_outcomes_total) > 0"),
        "sum(clearhouse_payments_dead_letters)",
        "rate(inference_requests_total[5m])",
        "rate(gateway_signatures_refused_total[5m])",
        "rate(normalizer_outcomes_total[5m])",
        "rate(worker_outcomes_total[5m])",
    )
    for first in firsts:
        eventually(lambda query=first: asked("query", query=query)["result"])
    return asked


def eventually(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.5)


def test_the_rules_alert_when_they_should_and_only_then(promtool: Path) -> None:
    tests = sorted((REPOSITORY / "deploy" / "prometheus" / "tests").glob("*.yml"))
    done = subprocess.run(
        [promtool, "test", "rules", *tests], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    tested = {name for test in tests for name in re.findall(r"alertname: (\w+)", test.read_text())}
    assert tested == {alert["alert"] for alert in alerts()}


def test_alerts_are_routed_by_their_severity() -> None:
    amtool = Alertmanager().install().programs / "amtool"
    config = REPOSITORY / "deploy" / "prometheus" / "alertmanager.yml"
    for severity in ("critical", "warning"):
        done = subprocess.run(
            [amtool, "config", "routes", "test", f"--config.file={config}", f"severity={severity}"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout.strip()) == (0, severity), done.stderr


def test_it_answers_what_the_exporter_told(ask: Callable[..., Any]) -> None:
    query = 'clearhouse_books_entries{status="unbalanced"} > 0'
    (found,) = ask("query", query=query)["result"]
    labels = {name: found["metric"][name] for name in ("job", "domain", "hop")}
    assert labels == {"job": "exporter", "domain": "bnpl", "hop": BRONZE}
    assert found["value"][1] == "1"


def test_every_panel_has_an_answer_with_the_labels_of_its_legend(ask: Callable[..., Any]) -> None:
    without = set()
    for panel in panels():
        results = ask("query", query=query_of(panel))["result"]
        if not results:
            without.add(panel.title)
        for result in results:
            labels = set(re.findall(r"{{(\w+)}}", panel.legend))
            assert labels <= result["metric"].keys(), (panel.title, result["metric"])
    # The ledger's service does not run here, nobody watched the books yesterday, and no service of
    # payments had to wait. What Temporal tells depends on who has used it: see its own test.
    of_ledger = {p.title for p in panels() if metrics_in(p.query) and "gl_" in p.query}
    of_temporal = {panel.title for panel in panels() if metrics_in(panel.query) & TEMPORAL}
    assert without - of_ledger - of_temporal == {
        "More than yesterday",
        "Unbalanced entries of gl",
        "Failed steps",
        "Started a second",
        "Runs waiting",
    }


def test_the_rules_are_loaded_and_apply_to_what_is_scraped(ask: Callable[..., Any]) -> None:
    def states() -> dict[str, str]:
        return {each["labels"]["alertname"]: each["state"] for each in ask("alerts")["alerts"]}

    rules = [rule for group in ask("rules")["groups"] for rule in group["rules"]]
    assert {rule["name"] for rule in rules} == {alert["alert"] for alert in alerts()}
    expected = {
        "BooksUnbalanced",
        "AuditFoundDifferences",
        "GlServiceDown",
        "NothingPublished",  # of payments
        "PaymentsServiceDown",  # the starter, which only Temporal needs
    }
    eventually(lambda: states().keys() >= expected)
    of_others = {"TemporalStoreFails", "TemporalNoWorker", "TemporalTasksWait"}  # minutes before
    busy = {"PaymentsGatewaySlow"}
    assert states().keys() - expected - of_others <= busy, "on a busy machine it may be"
    rules = [rule for group in ask("rules")["groups"] for rule in group["rules"]]
    assert {rule["health"] for rule in rules} == {"ok"}


def test_the_exporter_outlives_the_server_of_the_books(exporter: str, server: Server) -> None:
    def up() -> bool:
        with urllib.request.urlopen(exporter, timeout=30) as answer:
            return "clearhouse_books_up 1.0" in answer.read().decode()

    assert up()
    server.kill()
    assert not up()
    server.start()
    eventually(up)
