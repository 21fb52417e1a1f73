"""`payments prepare`: what payments need on servers, made once."""

import json
from collections.abc import Iterator

from rich.markup import escape

from clearhouse.cli.app import err, out, settings_of_stores
from clearhouse.cli.options import JsonFlag
from clearhouse.cli.progress import under_way
from clearhouse.cli.words import counted
from clearhouse.log.places import Prepared
from clearhouse.payments.topics import TOPICS
from clearhouse.settings import Settings

_COLUMNS = ("topic", "partitions", "kept", "cleanup", "key", "holds")
_HOLDS = {topic.name: topic for topic in TOPICS}


def prepare(as_json: JsonFlag = False) -> None:
    """Make topics, tables, roles and the namespace of workflows, on the servers that are set.

    It may be repeated: what is there already is left as it is.
    """
    from clearhouse.payments.log_opening import log_place, prepare_payment_log

    config = settings_of_stores()
    with under_way("making what is missing"):
        topics = prepare_payment_log(log_place(config))
        done = _prepare_the_rest(config)
    if as_json:
        print(json.dumps({"topics": [_as_json(each) for each in topics], "done": done}))
        return
    _show_topics(topics)
    for sentence in done:
        out.print(escape(sentence), soft_wrap=True)


def _prepare_the_rest(config: Settings) -> list[str]:
    """Stores, roles and workflows: what was done, a sentence each."""
    from clearhouse.payments.store.preparing import prepare_roles

    done = prepare_roles(config)
    if config.has_workflow_server:
        from clearhouse.payments.workflows.place import prepare_workflows

        done += prepare_workflows(config)
    return done


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
