"""Serves the general ledger, to be killed: `python gl_runner.py PORT STORE [REDIS]`."""

import sys

import uvicorn
from gl_service import options

from clearhouse.core.urls import SecretUrl
from clearhouse.gl.service.app import create_app

if __name__ == "__main__":
    port, url, *redis = sys.argv[1:]
    store = url if url.startswith("sqlite") else SecretUrl.parse(url, ("postgresql",))
    wanted = options(
        store=store, redis_url=redis[0] if redis else None, interval_seconds=0.5, days=12
    )
    uvicorn.run(create_app(wanted), port=int(port), log_level="error", timeout_graceful_shutdown=2)
