"""The dashboard of the general ledger's service."""

from deploy.grafana.dashboard import Dashboard, Panel, Row

_RUNBOOK = "Runbook: docs/runbooks/gl-service.md"
_PACE = "[$__rate_interval]"


def _quantile(share: float, labels: str = "le") -> str:
    buckets = f'gl_request_seconds_bucket{{job="gl", route=~"$route"}}{_PACE}'
    return f"histogram_quantile({share}, sum by ({labels}) (rate({buckets})))"


_REQUESTS = f'rate(gl_requests_total{{job="gl", route=~"$route"}}{_PACE})'
_NO_HEALTH = 'route!~"/health.*"'  # its pages answer 503 to say that a service is not ready
_ASKED = f'rate(gl_requests_total{{job="gl", route=~"$route", {_NO_HEALTH}}}{_PACE})'
_ERRORS = (
    f'rate(gl_requests_total{{job="gl", route=~"$route", {_NO_HEALTH}, status=~"5.."}}{_PACE})'
)

GENERAL_LEDGER = Dashboard(
    "general-ledger",
    "General ledger",
    "The service: what it stores, how it answers, what it refuses, and who follows its stream.",
    [
        Row(
            "Now",
            [
                Panel(
                    "Serves",
                    'up{job="gl"}',
                    f"1: it answers. {_RUNBOOK}",
                    "stat",
                    legend="{{instance}}",
                    is_bad_at_zero=True,
                ),
                Panel(
                    "Lines stored",
                    'max(gl_lines_stored{job="gl"})',
                    "Lines of the ledger, history included.",
                    "stat",
                    legend="lines",
                ),
                Panel(
                    "Since the last line",
                    'time() - (max(gl_last_recorded_timestamp_seconds{job="gl"}) > 0)',
                    f"How far the stream is behind the time. {_RUNBOOK}",
                    "stat",
                    legend="seconds",
                    unit="s",
                    warn=60,
                    alarm=300,
                ),
                Panel(
                    "Followers of the stream",
                    'sum(gl_stream_clients{job="gl"})',
                    "Clients that are connected to the stream of lines.",
                    "stat",
                    legend="clients",
                ),
            ],
            height=6,
        ),
        Row(
            "Requests",
            [
                Panel(
                    "Requests a second",
                    f"sum by (route, method) ({_REQUESTS})",
                    "Answers of any status.",
                    legend="{{method}} {{route}}",
                    unit="reqps",
                ),
                Panel(
                    "Share of errors",
                    f"(sum({_ERRORS}) or vector(0)) / sum({_ASKED})",
                    f"Answers with a status of 500 or above. {_RUNBOOK}",
                    legend="errors",
                    unit="percentunit",
                    alarm=0.01,
                ),
                Panel(
                    "Answers by status",
                    f"sum by (status) ({_REQUESTS})",
                    "400 to 499: what the client asked for could not be given.",
                    legend="{{status}}",
                    unit="reqps",
                ),
            ],
        ),
        Row(
            "How long they take",
            [
                Panel(
                    "Half of the requests",
                    _quantile(0.5, "le, route"),
                    "The median by route, from a request to the end of its answer.",
                    legend="{{route}}",
                    unit="s",
                ),
                Panel(
                    "All but one in a hundred",
                    _quantile(0.99, "le, route"),
                    f"The 99th percentile by route. {_RUNBOOK}",
                    legend="{{route}}",
                    unit="s",
                    alarm=1,
                ),
            ],
        ),
        Row(
            "The ledger",
            [
                Panel(
                    "Lines a minute",
                    '60 * max(deriv(gl_lines_stored{job="gl"}[10m]))',
                    "How fast the ledger grows.",
                    legend="lines",
                ),
                Panel(
                    "Violations of refused postings",
                    f'sum by (code) (increase(gl_postings_refused_total{{job="gl"}}{_PACE}))',
                    f"A refused posting leaves the ledger as it was. {_RUNBOOK}",
                    legend="{{code}}",
                ),
                Panel(
                    "Unbalanced entries of gl",
                    'sum by (hop) (clearhouse_books_entries{domain="gl", status="unbalanced"})',
                    "From the service to readers. Runbook: docs/runbooks/unbalanced-books.md",
                    legend="{{hop}}",
                    alarm=1,
                ),
            ],
        ),
    ],
    {"route": ("gl_requests_total", "route")},
)
