"""Which runs go on, for who compares what was started with what is recorded."""

from collections.abc import Callable, Collection
from functools import partial

from clearhouse.settings import Settings

Running = Callable[[Collection[str]], Collection[str]]
"""Those of some event ids whose runs on a workflow server go on."""


def running_by(settings: Settings) -> Running | None:
    """What asks the workflow server of the settings; None: the worker reads the log itself."""
    return partial(_running, settings) if settings.has_workflow_server else None


def _running(settings: Settings, event_ids: Collection[str]) -> set[str]:
    # What asks needs the extra `temporal`.
    from clearhouse.payments.workflows.asking import running

    return running(settings, event_ids)
