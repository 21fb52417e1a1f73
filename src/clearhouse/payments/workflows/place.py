"""The workflow server of payments: where it is, and what it is prepared with."""

import asyncio
import datetime as dt

from clearhouse.payments.workflows.messages import SEARCHED_BY
from clearhouse.settings import Settings
from clearhouse.workflows.temporal import TemporalPlace
from clearhouse.workflows.temporal_preparing import prepare_namespace

RETENTION = dt.timedelta(days=3)
"""Of finished runs. An event that is delivered later is known by the store."""


def temporal_place(settings: Settings) -> TemporalPlace:
    """Where the settings say that the server is."""
    return TemporalPlace(
        settings.workflows_url,
        settings.temporal_ca_file,
        settings.temporal_cert_file,
        settings.temporal_key_file,
    )


def prepare_workflows(settings: Settings) -> list[str]:
    """Make the namespace and its search attributes. A second time, it makes nothing.

    Returns:
        What was made, a sentence each.

    Raises:
        WorkflowsError: the server can't be reached, or refuses.
    """
    return asyncio.run(prepare_namespace(temporal_place(settings), RETENTION, SEARCHED_BY))
