"""Dashboards and rules ask for what is exported, and link to what is there."""

import json
import re
from collections import Counter
from contextlib import closing
from itertools import combinations
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import sqlalchemy as sa
import yaml
from databases import url_of
from prometheus_client import generate_latest
from watched import LEDGER, REPOSITORY, TEMPORAL, alerts, metrics_in, panels, query_of

from clearhouse.core.service_metrics import exposition
from clearhouse.exporter.server import exporting, utc_now
from clearhouse.log.log import Log
from clearhouse.payments.flow import worker_lags
from clearhouse.payments.gateway import metrics as _of_gateway  # noqa: F401 (they are of the process)
from clearhouse.payments.inference.app import Metrics as InferenceMetrics
from clearhouse.payments.log_opening import log_place, open_payment_log
from clearhouse.payments.normalizer.service import State as NormalizerState
from clearhouse.payments.store.database import open_store
from clearhouse.payments.watched import PaymentsCollector
from clearhouse.payments.worker.state import WorkerState
from clearhouse.payments.workflows.starter_service import State as StarterState
from clearhouse.settings import Settings, load_settings
from deploy.grafana.__main__ import DASHBOARDS
from deploy.grafana.dashboard import FOLDER, Dashboard

PROVISIONING = REPOSITORY / "deploy" / "grafana" / "provisioning"
LABELS = {
    "clearhouse": {
        "domain",
        "dataset",
        "hop",
        "status",
        "state",
        "side",
        "currency",
        "code",
        "stage",
        "outcome",
        "provider",
        "part",
    },
    "gl": {"route", "method", "status", "code", "le"},
    "gateway": {"provider", "outcome", "code"},
    "inference": {"path", "status"},
    "normalizer": {"topic"},
    "payments": {"topic", "partition", "part", "code"},
    "worker": {"outcome"},
    "starter": {"result"},
    "no": {"namespace"},
    "persistence": {"service_name"},
    "task": {"namespace"},
    "workflow": {"workflowType"},
    "prometheus": {"instance", "job"},
}


def test_the_committed_files_are_what_the_code_writes() -> None:
    assert {file.name: file.read_text(encoding="utf-8") for file in FOLDER.iterdir()} == {
        dashboard.file.name: dashboard.text() for dashboard in DASHBOARDS
    }


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda dashboard: dashboard.name)
def test_panels_have_numbers_and_places_of_their_own(dashboard: Dashboard) -> None:
    shown: list[dict[str, Any]] = json.loads(dashboard.text())["panels"]
    assert max(Counter(panel["id"] for panel in shown).values()) == 1
    places = [panel["gridPos"] for panel in shown]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below, (one, other)


def test_dashboards_have_urls_of_their_own_and_one_source() -> None:
    content = [json.loads(dashboard.text()) for dashboard in DASHBOARDS]
    assert len({each["uid"] for each in content}) == len({each["title"] for each in content}) == 5
    (source,) = yaml.safe_load((PROVISIONING / "datasources" / "prometheus.yml").read_text())[
        "datasources"
    ]
    asked = {
        each["datasource"]["uid"]
        for dashboard in content
        for panel in dashboard["panels"]
        for each in (panel, *panel.get("targets", ()))
        if panel["type"] != "row"
    }
    assert asked == {source["uid"]}


def test_grafana_finds_them_where_the_compose_file_puts_them() -> None:
    (provider,) = yaml.safe_load((PROVISIONING / "dashboards" / "clearhouse.yml").read_text())[
        "providers"
    ]
    compose = yaml.safe_load((REPOSITORY / "deploy" / "compose" / "compose.yaml").read_text())
    path = provider["options"]["path"]
    assert f"../grafana/dashboards:{path}:ro" in compose["services"]["grafana"]["volumes"]


def test_every_metric_that_is_asked_for_is_exported(database: sa.Engine, tmp_path: Path) -> None:
    settings = load_settings(
        _env_file=None, clearhouse_home=tmp_path, database_url=url_of(database)
    )
    open_log(settings).close()
    open_store(settings.payments_database_url).close()
    payments = PaymentsCollector(settings, utc_now)
    with (
        closing(payments),
        exporting(settings, port=0, others=[payments]) as (url, _),
        urlopen(url, timeout=10) as answer,
    ):
        exported = names_in(answer.read())
    exported |= of_services(settings)

    queries = [query_of(panel) for panel in panels()] + [str(alert["expr"]) for alert in alerts()]
    asked = set().union(*map(metrics_in, queries))

    assert asked - LEDGER - TEMPORAL <= exported
    assert asked >= LEDGER, "nothing that the ledger's service tells is left out"
    assert asked >= TEMPORAL


def of_services(settings: Settings) -> set[str]:
    """The metrics of the services of payments."""
    log, store = open_log(settings), open_store(settings.payments_database_url)
    states = (
        NormalizerState(log),
        StarterState(log),
        WorkerState(store, lambda: worker_lags(log, store.engine)),
    )
    texts = [generate_latest(state.registry) for state in states]
    found = names_in(b"".join([*texts, exposition(), InferenceMetrics().exposition()]))
    store.close()
    log.close()
    return found


def names_in(text: bytes) -> set[str]:
    return set(re.findall(r"^# TYPE (\w+)", text.decode(), re.MULTILINE))


def open_log(settings: Settings) -> Log:
    return open_payment_log(log_place(settings))


def test_legends_name_labels_that_there_are() -> None:
    for panel in panels():
        prefixes = {name.split("_")[0] for name in metrics_in(panel.query)}
        known = LABELS["prometheus"].union(*(LABELS[prefix] for prefix in prefixes))
        assert set(re.findall(r"{{(\w+)}}", panel.legend)) <= known, panel.title


def test_every_alert_has_a_runbook_and_every_runbook_that_is_named_is_there() -> None:
    found = list(alerts())
    assert len({alert["alert"] for alert in found}) == len(found) == 37
    named = [alert["annotations"]["runbook"] for alert in found]
    named += [link for panel in panels() for link in re.findall(r"docs/\S+\.md", panel.description)]
    assert [link for link in named if not (REPOSITORY / link).exists()] == []
    assert {alert["labels"]["severity"] for alert in found} == {"warning", "critical"}
