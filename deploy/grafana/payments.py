"""The dashboard of payments: its services, and what waits on the way."""

from deploy.grafana.dashboard import Dashboard, Panel, Row

_PACE = "[$__rate_interval]"
_SERVICES = 'job=~"gateway|normalizer|starter|worker|inference"'


def _runbook(name: str) -> str:
    return f"Runbook: docs/runbooks/payments-{name}.md"


def _rate(metric: str, *labels: str) -> str:
    return f"sum by ({', '.join(labels)}) (rate({metric}{_PACE}))"


def _p99(buckets: str, label: str) -> str:
    return f"histogram_quantile(0.99, sum by (le, {label}) (rate({buckets}{_PACE})))"


_NOW = Row(
    "Now",
    [
        Panel(
            "Serves",
            f"min by (job) (up{{{_SERVICES}}})",
            f"1: every process of it answers. {_runbook('service-down')}",
            "stat",
            legend="{{job}}",
            is_bad_at_zero=True,
        ),
        Panel(
            "Ready",
            "min by (job) (payments_ready)",
            f"1: nothing is in its way. {_runbook('service-down')}",
            "stat",
            legend="{{job}}",
            is_bad_at_zero=True,
        ),
        Panel(
            "Not accounted for",
            'sum(clearhouse_books_unbalanced_records{domain="payments"})',
            f"Records that went in at a hop and did not come out, or too many. "
            f"{_runbook('unaccounted')}",
            "stat",
            legend="records",
            alarm=1,
        ),
        Panel(
            "Open dead letters",
            "sum by (stage) (clearhouse_payments_dead_letters)",
            f"Neither redriven nor discarded. {_runbook('dead-letters')}",
            "stat",
            legend="{{stage}}",
            warn=1,
        ),
        Panel(
            "The oldest that waits",
            "max by (job) (payments_oldest_unprocessed_seconds)",
            f"Since the log took it. {_runbook('worker-behind')}",
            "stat",
            legend="{{job}}",
            unit="s",
            warn=60,
            alarm=300,
        ),
    ],
    height=6,
)

_GATEWAY = Row(
    "Gateway",
    [
        Panel(
            "Webhooks a second",
            _rate("gateway_webhooks_total", "provider", "outcome"),
            f"log_unavailable: answered with 503. {_runbook('log-full')}",
            legend="{{provider}} {{outcome}}",
            unit="reqps",
        ),
        Panel(
            "All but one in a hundred",
            _p99("gateway_webhook_seconds_bucket", "provider"),
            f"The 99th percentile, from a request to its answer. {_runbook('broker-down')}",
            legend="{{provider}}",
            unit="s",
            alarm=1,
        ),
        Panel(
            "Refused signatures a second",
            _rate("gateway_signatures_refused_total", "provider", "code"),
            f"Nothing of them is kept. {_runbook('signatures-refused')}",
            legend="{{provider}} {{code}}",
            unit="reqps",
        ),
    ],
)

_LOOPS = Row(
    "On the way",
    [
        Panel(
            "Waiting records",
            "sum by (job, topic) (max by (job, topic, partition) (payments_lag))",
            f"Still to be handled. {_runbook('worker-behind')}",
            legend="{{job}} {{topic}}",
            alarm=10_000,
        ),
        Panel(
            "Age of the oldest",
            "max by (job, topic) (payments_oldest_unprocessed_seconds)",
            f"Of the records that wait. {_runbook('worker-behind')}",
            legend="{{job}} {{topic}}",
            unit="s",
            alarm=300,
        ),
        Panel(
            "Slowest batches",
            _p99("payments_batch_seconds_bucket", "job"),
            "The 99th percentile, from a batch that was read to its commit.",
            legend="{{job}}",
            unit="s",
        ),
        Panel(
            "Failed steps",
            f"sum by (job, code) (increase(payments_failures_total{_PACE}))",
            f"Each is tried again. {_runbook('worker-stuck')}",
            legend="{{job}} {{code}}",
        ),
    ],
)

_OUTCOMES = Row(
    "What becomes of them",
    [
        Panel(
            "Normalized a second",
            _rate("normalizer_outcomes_total", "topic"),
            "By the topic that what a webhook says went to.",
            legend="{{topic}}",
            unit="reqps",
        ),
        Panel(
            "Recorded a second",
            _rate("worker_outcomes_total", "outcome"),
            "Events by what the worker made of them.",
            legend="{{outcome}}",
            unit="reqps",
        ),
        Panel(
            "Started a second",
            _rate("starter_events_total", "result"),
            "With Temporal: events by what the starter did about them.",
            legend="{{result}}",
            unit="reqps",
        ),
        Panel(
            "Today",
            "sum by (outcome) (clearhouse_payments_today_deliveries)",
            "Webhooks of today (UTC), as the store says.",
            legend="{{outcome}}",
        ),
        Panel(
            "Runs waiting",
            "max(starter_runs_waiting)",
            "With Temporal: runs of events that began more than a minute ago. "
            f"{_runbook('worker-stuck')}",
            legend="runs",
            alarm=1,
        ),
        Panel(
            "To be published",
            "max(worker_outbox)",
            f"Messages of the outbox. {_runbook('worker-stuck')}",
            legend="messages",
        ),
    ],
)

_WRONG = Row(
    "What went wrong",
    [
        Panel(
            "Open dead letters by code",
            "sum by (stage, code) (clearhouse_payments_dead_letters)",
            f"`clearhouse dlq list` shows them. {_runbook('dead-letters')}",
            legend="{{stage}} {{code}}",
        ),
        Panel(
            "Waits for",
            "max by (job, part) (payments_waits_for)",
            f"1 for a part that a service can't use. {_runbook('broker-down')}",
            legend="{{job}} {{part}}",
            alarm=1,
        ),
        Panel(
            "Not accounted for, by hop",
            'sum by (hop) (clearhouse_books_unbalanced_records{domain="payments"})',
            f"`clearhouse books --domain payments` names them. {_runbook('unaccounted')}",
            legend="{{hop}}",
            alarm=1,
        ),
    ],
)

_INFERENCE = Row(
    "Inference",
    [
        Panel(
            "Requests a second",
            _rate("inference_requests_total", "path", "status"),
            "A request has up to 500 events.",
            legend="{{path}} {{status}}",
            unit="reqps",
        ),
        Panel(
            "All but one in a hundred",
            _p99("inference_request_seconds_bucket", "path"),
            "After two seconds the worker's own scorecards answer.",
            legend="{{path}}",
            unit="s",
            alarm=1,
        ),
    ],
)

_TEMPORAL = Row(
    "Temporal",
    [
        Panel(
            "Temporal answers",
            'min by (job) (up{job="temporal"})',
            f"1: it tells of itself. {_runbook('temporal-down')}",
            "stat",
            legend="{{job}}",
            is_bad_at_zero=True,
        ),
        Panel(
            "Runs completed a second",
            _rate("workflow_success", "workflowType"),
            "A run that failed has left a dead letter, and is not among them.",
            legend="{{workflowType}}",
            unit="reqps",
        ),
        Panel(
            "Tasks wait for a worker",
            _p99('task_schedule_to_start_latency_bucket{taskqueue="payments"}', "namespace"),
            f"All but one in a hundred, until a worker takes them. {_runbook('temporal-tasks')}",
            legend="{{namespace}}",
            unit="s",
            alarm=60,
        ),
        Panel(
            "Tasks that nobody polls for",
            f'sum by (namespace) (increase(no_poller_tasks{{taskqueue="payments"}}{_PACE}))',
            f"Of a queue that no worker has asked for 2 minutes. {_runbook('temporal-tasks')}",
            legend="{{namespace}}",
            alarm=1,
        ),
        Panel(
            "Its database, all but one in a hundred",
            _p99("persistence_latency_bucket", "service_name"),
            "How long requests of its services to PostgreSQL take.",
            legend="{{service_name}}",
            unit="s",
            alarm=1,
        ),
        Panel(
            "Its database, failed a second",
            _rate("persistence_errors", "service_name"),
            f"Of these requests. {_runbook('temporal-down')}",
            legend="{{service_name}}",
            unit="reqps",
        ),
    ],
)

PAYMENTS = Dashboard(
    "payments",
    "Payments",
    "From webhooks to tables: what the services do, what waits for them, and what went wrong.",
    [_NOW, _GATEWAY, _LOOPS, _OUTCOMES, _WRONG, _INFERENCE, _TEMPORAL],
)
