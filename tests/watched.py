"""What is asked of Prometheus: the queries of the dashboards and the expressions of the rules."""

import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from deploy.grafana.__main__ import DASHBOARDS
from deploy.grafana.dashboard import Panel

REPOSITORY = Path(__file__).parents[1]
RULES = sorted((REPOSITORY / "deploy" / "prometheus" / "rules").glob("*.yml"))

# Of the general ledger's service (clearhouse.gl.service.metrics).
LEDGER = {
    "gl_requests_total",
    "gl_request_seconds",
    "gl_lines_stored",
    "gl_last_recorded_timestamp_seconds",
    "gl_stream_clients",
    "gl_postings_refused_total",
}

# Of the Temporal server.
TEMPORAL = {
    "no_poller_tasks",
    "persistence_errors",
    "persistence_latency",
    "task_schedule_to_start_latency",
    "workflow_success",
}

_PREFIXES = "clearhouse|gl|gateway|inference|normalizer|payments|starter|worker"
_NAMES = rf"(?:{_PREFIXES})_[a-z_]+|(?:{'|'.join(TEMPORAL)})(?:_bucket)?"


def panels() -> Iterator[Panel]:
    """Of all dashboards."""
    for dashboard in DASHBOARDS:
        for row in dashboard.rows:
            yield from row.panels


def query_of(panel: Panel) -> str:
    """As Grafana asks it with every choice taken."""
    query = panel.query.replace("$__rate_interval", "5m")
    return re.sub(r"\$(domain|route)\b", ".*", query)


def alerts() -> Iterator[dict[str, object]]:
    """Of all rule files."""
    for file in RULES:
        for group in yaml.safe_load(file.read_text())["groups"]:
            yield from group["rules"]


def metrics_in(query: str) -> set[str]:
    """The names of our metrics and Temporal's in a query; of a histogram, without its parts."""
    words = re.findall(r"\w+", re.sub(r'"[^"]*"', "", query))
    names = [word for word in words if re.fullmatch(_NAMES, word)]
    return {name.removesuffix("_bucket") for name in names}
