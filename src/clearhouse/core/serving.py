"""Serving an ASGI application over HTTP, in one process or in several workers."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import uvicorn

from clearhouse.core.listening import check_is_free

_METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # that of core.service_metrics, read at its import
_HTTP = "clearhouse.core.http_protocol:OneWriteProtocol"  # loaded by each worker


def serve(
    factory: str, host: str, port: int, workers: int, grace_seconds: int, **more: Any
) -> None:
    """Serve until a signal ends it; answers in progress are finished.

    Args:
        factory: the function that makes the application, as `module:name`.
        host: address to listen at.
        port: to listen at.
        workers: processes that answer.
        grace_seconds: how long answers in progress may take when it is to end.
        **more: options of uvicorn.

    Raises:
        UsageError: nothing can listen there (address_in_use).
    """
    check_is_free(host, port)
    folder = Path(tempfile.mkdtemp(prefix="clearhouse-metrics-")) if workers > 1 else None
    if folder is not None:
        os.environ[_METRICS_FOLDER] = str(folder)
    try:
        uvicorn.run(
            factory,
            factory=True,
            host=host,
            port=port,
            workers=workers,
            http=_HTTP,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=grace_seconds,
            **more,
        )
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
