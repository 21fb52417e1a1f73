"""`payments prepare`: what payments need on servers, made once."""

import json
from collections.abc import Iterator

from rich.markup import escape

from clearhouse.cli.app import err, out, settings_of_stores
from clearhouse.cli.options import JsonFlag
from clearhouse.cli.progress import under_way
from clearhouse.cli.words import counted
from clearhouse.log.preparing import Prepared
from clearhouse.payments.topics import TOPICS

_COLUMNS = ("topic", "partitions", "kept", "cleanup", "key", "holds")
_HOLDS = {topic.name: topic for topic in TOPICS}


def prepare(as_json: JsonFlag = False) -> None:
    """Make what payments need on servers: topics. What is there already is left as it is."""
    from clearhouse.log.preparing import prepare_log
    from clearhouse.payments.log_opening import declared_topics, log_place

    config = settings_of_stores()
    with under_way("making topics"):
        topics = prepare_log(log_place(config), declared_topics())
    if as_json:
        print(json.dumps({"topics": [_as_json(each) for each in topics]}))
        return
    _show_topics(topics)


def _show_topics(topics: list[Prepared]) -> None:
    if not topics:
        out.print("The log is a file: its topics are made when it is opened.")
        return
    rows = [_COLUMNS, *map(_row, topics)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        out.print("  ".join(cells).rstrip(), markup=False, soft_wrap=True)
    made = sum(each.is_new for each in topics)
    out.print(f"{counted(made, 'topic')} made, {len(topics) - made} already there.")
    for line in _differences(topics):
        err.print(f"[yellow]differs[/] {escape(line)}", soft_wrap=True)


def _row(each: Prepared) -> tuple[str, ...]:
    declared = _HOLDS.get(each.topic.name)
    days = each.topic.days
    return (
        each.name,
        str(each.partitions),
        "until read" if days is None else f"{days} days",
        "delete",
        declared.key if declared else "–",
        declared.holds if declared else "progress only",
    )


def _differences(topics: list[Prepared]) -> Iterator[str]:
    for each in topics:
        for difference in each.differences:
            yield f"{each.name}: {difference}."


def _as_json(each: Prepared) -> dict[str, object]:
    declared = _HOLDS.get(each.topic.name)
    return {
        "topic": each.name,
        "partitions": each.partitions,
        "retention_days": each.topic.days,
        "cleanup": "delete",
        "key": declared.key if declared else None,
        "holds": declared.holds if declared else None,
        "made": each.is_new,
        "differences": list(each.differences),
    }
