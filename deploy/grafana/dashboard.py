"""Dashboards, rows and panels, and what they are in the JSON of Grafana 11.6."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

FOLDER = Path(__file__).with_name("dashboards")
SCHEMA_VERSION = 41

Kind = Literal["stat", "timeseries", "table"]
Json = dict[str, Any]

_DATASOURCE: Json = {"type": "prometheus", "uid": "prometheus"}
_COLUMNS = 24  # of Grafana's grid
_HIDDEN = ("Time", "__name__", "instance", "job")  # columns of a table


@dataclass(frozen=True)
class Panel:
    """One panel with one query.

    Attributes:
        query: PromQL.
        description: what is good and what is not; where there is one, the runbook.
        legend: of each series, its labels as {{label}}.
        unit: by Grafana's names of units.
        warn, alarm: values from which on it is yellow, and red.
        is_bad_at_zero: it is red at 0, and green from 1 on.
    """

    title: str
    query: str
    description: str
    kind: Kind = "timeseries"
    legend: str = "{{domain}}"
    unit: str = "short"
    warn: float | None = None
    alarm: float | None = None
    is_bad_at_zero: bool = False

    def as_json(self, number: int, place: Json) -> Json:
        """The panel at its place in the grid."""
        is_now = self.kind != "timeseries"
        return {
            "id": number,
            "type": self.kind,
            "title": self.title,
            "description": self.description,
            "datasource": _DATASOURCE,
            "gridPos": place,
            "fieldConfig": {"defaults": self._defaults(), "overrides": []},
            "options": self._options(),
            "targets": [
                {
                    "refId": "A",
                    "datasource": _DATASOURCE,
                    "expr": self.query,
                    "legendFormat": self.legend,
                    "format": "table" if self.kind == "table" else "time_series",
                    "instant": is_now,
                    "range": not is_now,
                }
            ],
            "transformations": self._transformations(),
        }

    def _defaults(self) -> Json:
        colour = "thresholds" if self.kind == "stat" else "palette-classic"
        found: Json = {
            "unit": self.unit,
            "color": {"mode": colour},
            "thresholds": {"mode": "absolute", "steps": self._steps()},
        }
        if self.kind == "timeseries":
            style = "dashed" if self.alarm is not None else "off"
            found["custom"] = {"thresholdsStyle": {"mode": style}, "fillOpacity": 10}
        return found

    def _steps(self) -> list[Json]:
        if self.is_bad_at_zero:
            return [{"color": "red", "value": None}, {"color": "green", "value": 1}]
        limits = (("yellow", self.warn), ("red", self.alarm))
        steps = [{"color": colour, "value": value} for colour, value in limits if value is not None]
        return [{"color": "green", "value": None}, *steps]

    def _options(self) -> Json:
        if self.kind == "timeseries":
            return {
                "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
                "tooltip": {"mode": "multi", "sort": "desc"},
            }
        if self.kind == "table":
            return {"showHeader": True, "cellHeight": "sm"}
        return {
            "colorMode": "value",
            "graphMode": "none",
            "textMode": "auto",
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        }

    def _transformations(self) -> list[Json]:
        if self.kind != "table":
            return []
        hidden = dict.fromkeys(_HIDDEN, True)
        return [{"id": "organize", "options": {"excludeByName": hidden}}]


@dataclass(frozen=True)
class Row:
    """Panels beside each other, of one width, under a heading."""

    title: str
    panels: Sequence[Panel]
    height: int = 8


@dataclass(frozen=True)
class Dashboard:
    """One dashboard.

    Attributes:
        name: of its file; its uid and so its URL follow from it.
        variables: by name, the metric and the label whose values can be chosen.
    """

    name: str
    title: str
    description: str
    rows: Sequence[Row]
    variables: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        """Where it is provisioned from."""
        return FOLDER / f"{self.name}.json"

    def text(self) -> str:
        """The content of its file."""
        content = {
            "uid": f"clearhouse-{self.name}",
            "title": self.title,
            "description": self.description,
            "tags": ["clearhouse"],
            "schemaVersion": SCHEMA_VERSION,
            "editable": False,
            "timezone": "utc",
            "time": {"from": "now-24h", "to": "now"},
            "refresh": "30s",
            "annotations": {"list": [_ALERTS]},
            "templating": {"list": [_variable(n, *of) for n, of in self.variables.items()]},
            "panels": list(self._panels()),
        }
        return json.dumps(content, ensure_ascii=False, indent=2) + "\n"

    def _panels(self) -> Iterator[Json]:
        number, top = 1, 0
        for row in self.rows:
            place = {"x": 0, "y": top, "w": _COLUMNS, "h": 1}
            yield {
                "id": number,
                "type": "row",
                "title": row.title,
                "collapsed": False,
                "gridPos": place,
                "panels": [],
            }
            width = _COLUMNS // len(row.panels)
            for at, panel in enumerate(row.panels, 1):
                place = {"x": (at - 1) * width, "y": top + 1, "w": width, "h": row.height}
                yield panel.as_json(number + at, place)
            number += len(row.panels) + 1
            top += row.height + 1


_ALERTS: Json = {
    "name": "Alerts",
    "datasource": _DATASOURCE,
    "enable": True,
    "iconColor": "red",
    "expr": 'ALERTS{alertstate="firing"}',
    "titleFormat": "{{alertname}}",
    "textFormat": "{{domain}} {{instance}}",
}
"""Marks the times at which an alert fired."""


def _variable(name: str, metric: str, label: str) -> Json:
    """A choice of some or all values of a label."""
    query = f"label_values({metric}, {label})"
    return {
        "name": name,
        "type": "query",
        "datasource": _DATASOURCE,
        "definition": query,
        "query": {"query": query, "refId": f"values of {name}"},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": ["All"], "value": ["$__all"]},
        "options": [],
    }
