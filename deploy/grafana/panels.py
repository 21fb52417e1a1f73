"""The dashboards of the exporter's metrics: pipeline health, data quality, books."""

from deploy.grafana.dashboard import Dashboard, Panel, Row

_DOMAINS = {"domain": ("clearhouse_books_days", "domain")}


def of(metric: str, **labels: str) -> str:
    """A metric of the domains that are chosen, with other labels as given."""
    others = "".join(f', {name}="{value}"' for name, value in labels.items())
    return f'clearhouse_{metric}{{domain=~"$domain"{others}}}'


def by(labels: str, query: str) -> str:
    """The sum of a query, apart by some labels."""
    return f"sum by ({labels}) ({query})"


def since(metric: str) -> str:
    """The seconds since a time."""
    return f"time() - {of(metric)}"


_HELD = Panel(
    "Held days",
    of("books_held_days"),
    "Book dates that a gate holds. Runbook: docs/runbooks/held-day.md",
    "stat",
    alarm=1,
)

PIPELINE = Dashboard(
    "pipeline",
    "Pipeline health",
    "Whether days come through to readers: what was published, what is held, what did not end.",
    [
        Row(
            "Now",
            [
                Panel(
                    "Last publication",
                    since("books_last_publication_timestamp_seconds"),
                    "How long ago readers were shown something new. "
                    "Runbook: docs/runbooks/nothing-published.md",
                    "stat",
                    unit="s",
                    warn=86400,
                    alarm=172800,
                ),
                Panel(
                    "Age of the newest published day",
                    of("books_newest_published_day_age_days"),
                    "Days from the newest book date that readers see to today.",
                    "stat",
                    legend="{{dataset}}",
                    unit="d",
                    warn=2,
                    alarm=3,
                ),
                _HELD,
                Panel(
                    "Unfinished days",
                    of("books_unfinished_days"),
                    "Work that began and did not end: of a run at work, or of one that was "
                    "killed. Runbook: docs/runbooks/killed-run.md",
                    "stat",
                    warn=1,
                ),
            ],
            height=6,
        ),
        Row(
            "Days",
            [
                Panel(
                    "Days that readers see",
                    of("books_published_days"),
                    "Published book dates. It falls when days are withdrawn or rolled back.",
                    legend="{{dataset}}",
                ),
                Panel(
                    "Failed entries",
                    by("domain", of("books_entries", status="failed")),
                    "Hops of days that went wrong. Runbook: docs/runbooks/source-down.md",
                    alarm=1,
                ),
                Panel(
                    "Held for",
                    since("books_held_since_timestamp_seconds"),
                    "For how long the first of the held days is held.",
                    unit="s",
                    alarm=86400,
                ),
            ],
        ),
        Row(
            "Hops",
            [
                Panel(
                    "Seconds since the last entry",
                    since("books_last_entry_timestamp_seconds"),
                    "How long ago each hop was entered last: where a run stands.",
                    "table",
                    unit="s",
                ),
                Panel(
                    "Records of the newest day, out of each hop",
                    of("books_newest_day_records", side="out"),
                    "Between landing and readers nothing is lost but what other sides count.",
                    "table",
                ),
            ],
            height=10,
        ),
    ],
    _DOMAINS,
)

_REJECTED = of("books_newest_day_records", side="rejected")
_ENTERED = of("books_newest_day_records", side="in")

QUALITY = Dashboard(
    "quality",
    "Data quality",
    "Records that broke their contract, and days that gates hold.",
    [
        Row(
            "Now",
            [
                Panel(
                    "Quarantined rows",
                    f"{by('domain', of('quarantine_rows'))} "
                    f"or 0 * {by('domain', of('books_days'))}",
                    "Rows that broke their contract; those that were corrected since too.",
                    "stat",
                    warn=1,
                ),
                Panel(
                    "More than yesterday",
                    f"{by('domain', of('quarantine_rows'))} - "
                    f"{by('domain', of('quarantine_rows') + ' offset 1d')}",
                    "Runbook: docs/runbooks/quarantine-grows.md",
                    "stat",
                    warn=1,
                    alarm=100,
                ),
                Panel(
                    "Rejected of the newest day",
                    f"{by('domain', _REJECTED)} / "
                    f"{by('domain', f'{_ENTERED} and on (domain, hop) {_REJECTED}')}",
                    "Share of the records that landed. The raw gate holds a day from 1 % on.",
                    "stat",
                    unit="percentunit",
                    warn=0.001,
                    alarm=0.01,
                ),
                _HELD,
            ],
            height=6,
        ),
        Row(
            "Quarantine",
            [
                Panel(
                    "Rows by reason",
                    by("domain, code", of("quarantine_rows")),
                    "By the first reason of each row. `clearhouse quarantine list` shows them.",
                    legend="{{domain}} {{code}}",
                ),
                Panel(
                    "Rows by dataset and reason",
                    of("quarantine_rows"),
                    "As it is now.",
                    "table",
                ),
            ],
        ),
        Row(
            "The newest day",
            [
                Panel(
                    "Records set aside, by side",
                    by(
                        "domain, side",
                        'clearhouse_books_newest_day_records{domain=~"$domain", '
                        'side=~"duplicate|superseded|rejected|ignored|held"}',
                    ),
                    "What of the newest book date does not go on, and why.",
                    legend="{{domain}} {{side}}",
                ),
                Panel(
                    "Records that landed",
                    by("domain", f"{_ENTERED} and on (domain, hop) {_REJECTED}"),
                    "Of the newest book date. Half of what is usual is half a day.",
                ),
            ],
        ),
    ],
    _DOMAINS,
)

BOOKS = Dashboard(
    "books",
    "Books",
    "Whether the books balance, and what is missing or too much where they don't.",
    [
        Row(
            "Now",
            [
                Panel(
                    "Unbalanced entries",
                    by("domain", of("books_entries", status="unbalanced")),
                    "Runbook: docs/runbooks/unbalanced-books.md",
                    "stat",
                    alarm=1,
                ),
                Panel(
                    "Findings of the last audit",
                    of("books_last_audit_findings"),
                    "What `clearhouse books` found when it measured the stores again.",
                    "stat",
                    alarm=1,
                ),
                Panel(
                    "Last audit",
                    since("books_last_audit_timestamp_seconds"),
                    "How long ago the stores were measured again.",
                    "stat",
                    unit="s",
                    warn=172800,
                ),
                Panel(
                    "The books can be read",
                    "clearhouse_books_up",
                    "1: yes. Runbook: docs/runbooks/exporter-down.md",
                    "stat",
                    legend="{{instance}}",
                    is_bad_at_zero=True,
                ),
            ],
            height=6,
        ),
        Row(
            "What does not balance",
            [
                Panel(
                    "Records missing or too many",
                    by("domain, hop", of("books_unbalanced_records")),
                    "0 where rows differ in content alone: the entry is unbalanced all the same.",
                    legend="{{domain}} {{hop}}",
                    alarm=1,
                ),
                Panel(
                    "Money missing or too much, in minor units",
                    by("domain, currency", of("books_unbalanced_minor_units")),
                    "Without signs, so that they don't cancel. `clearhouse books` is exact.",
                    legend="{{domain}} {{currency}}",
                    alarm=1,
                ),
            ],
        ),
        Row(
            "Entries and days",
            [
                Panel(
                    "Entries by status",
                    by("domain, status", of("books_entries")),
                    "Entries in force.",
                    legend="{{domain}} {{status}}",
                ),
                Panel(
                    "Closed and open days",
                    of("books_days"),
                    "Closed days are sealed by a certificate.",
                    legend="{{domain}} {{state}}",
                ),
                Panel(
                    "Reading the books",
                    "clearhouse_exporter_reading_seconds",
                    "What it takes the exporter when something was recorded.",
                    legend="{{instance}}",
                    unit="s",
                    alarm=5,
                ),
            ],
        ),
    ],
    _DOMAINS,
)
