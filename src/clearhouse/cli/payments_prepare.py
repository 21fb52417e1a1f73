"""`payments prepare`: what the services of payments need on servers is made, before they start."""

import typer
from rich.markup import escape
from rich.table import Table

from clearhouse.cli.app import err, out, settings_of_stores
from clearhouse.cli.progress import under_way
from clearhouse.payments.topics import TOPICS


def register(group: typer.Typer) -> None:
    """Add the command to `payments`."""
    group.command("prepare")(prepare)


def prepare() -> None:
    """Make topics, tables, roles and the namespace of workflows, on the servers that are set.

    It may be repeated: what is there stays, and where it is not as declared, that is said.
    """
    from clearhouse.log.preparing import prepare_log
    from clearhouse.payments.log_opening import declared_topics, log_place
    from clearhouse.payments.store.preparing import prepare_roles

    settings = settings_of_stores()
    with under_way("making what is missing"):
        topics = prepare_log(log_place(settings), declared_topics())
        said = prepare_roles(settings)
        if settings.workflows_url.startswith("temporal"):
            from clearhouse.payments.workflows.place import prepare_workflows

            said += prepare_workflows(settings)
    holds = {topic.name: (topic.holds, topic.key) for topic in TOPICS}
    shown = Table(box=None)
    for name in ("Topic", "Partitions", "Kept", "Holds", "In order by", ""):
        shown.add_column(name, no_wrap=name == "Topic")
    for each in topics:
        days = each.topic.days
        kept = "until read by all" if days is None else f"{days} days"
        what, key = holds.get(each.topic.name, ("progress of a reader", ""))
        state = "made" if each.is_new else "there"
        shown.add_row(each.name, str(each.partitions), kept, what, key, state)
    if topics:
        out.print(shown)
    for sentence in said:
        out.print(escape(sentence), soft_wrap=True)
    if not topics and not said:
        out.print("Nothing is to be made: files are made by the services that use them.")
    for each in topics:
        for difference in each.differences:
            err.print(f"[yellow]{escape(each.name)}: {escape(difference)}.[/]", soft_wrap=True)
