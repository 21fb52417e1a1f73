"""Starting the service with the settings, in one process or in several workers."""

import sys

from fastapi import FastAPI

from clearhouse.core import serving
from clearhouse.gl.service.feed import FeedOptions
from clearhouse.gl.service.security import Keys, keys_from, keys_in
from clearhouse.gl.service.service import ServiceOptions
from clearhouse.home import make_folders
from clearhouse.settings import Settings, load_settings

_GRACE_SECONDS = 5
_SECONDS_BETWEEN_THREADS = 0.0005
"""Answers are made in threads: what is ready should not wait to be sent by the default of 5 ms."""


def options_from(settings: Settings) -> ServiceOptions:
    """What the service runs with, as the settings say.

    Raises:
        SettingsError: the keys can't be read.
    """
    redis = settings.redis_url
    return ServiceOptions(
        database_url=settings.gl_database_url,
        keys=_keys(settings),
        access=settings.database_access("gl"),
        feed=FeedOptions(
            settings.historical_days,
            settings.streaming_interval_seconds,
            settings.gl_seed,
            settings.gl_scale,
        ),
        redis_url=redis.get_secret_value() if redis else None,
        requests_per_minute=settings.gl_requests_per_minute,
        has_original_paths=settings.gl_original_paths,
    )


def from_settings() -> FastAPI:
    """The application of a worker."""
    from clearhouse.gl.service.app import create_app

    sys.setswitchinterval(_SECONDS_BETWEEN_THREADS)
    return create_app(options_from(load_settings()))


def prepare(settings: Settings) -> None:
    """Make the folders and read the keys: what is wrong is said once, and not by every worker.

    Raises:
        SettingsError: the keys, or a folder, can't be used.
    """
    make_folders(settings)
    options_from(settings)


def serve(host: str, port: int, workers: int) -> None:
    """Serve what was prepared until a signal ends it; answers in progress are finished."""
    serving.serve("clearhouse.gl.service.run:from_settings", host, port, workers, _GRACE_SECONDS)


def _keys(settings: Settings) -> Keys:
    given = settings.gl_service_keys
    return keys_from(given.get_secret_value()) if given else keys_in(settings.gl_service_keys_file)
