"""Whether the service lives and is ready, and its metrics. They need no key."""

from fastapi import APIRouter
from starlette.responses import Response

from clearhouse.core import service_metrics
from clearhouse.gl.service import metrics
from clearhouse.gl.service.errors import NotReadyError
from clearhouse.gl.service.recorder import state_of
from clearhouse.gl.service.routes.common import ServiceOf, problems

router = APIRouter(tags=["state"])


@router.get("/health/live")
async def live() -> dict[str, str]:
    """The process answers."""
    return {"status": "live"}


@router.get("/health/ready", responses={503: problems()[503]})
def ready(service: ServiceOf) -> dict[str, str]:
    """The history is whole and the store answers."""
    service.lines.last()
    return {"status": "ready"}


@router.get("/metrics", include_in_schema=False)
def exposed(service: ServiceOf) -> Response:
    """For Prometheus."""
    try:
        with service.database.reading() as connection:
            state = state_of(connection)
    except NotReadyError:  # the other numbers are there all the same
        state = None
    if state is not None:
        metrics.LINES_STORED.set(state.lines)
    return Response(service_metrics.exposition(), media_type=service_metrics.CONTENT_TYPE)
