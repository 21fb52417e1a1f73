"""Settings: each part is named by a URL, read from the environment or `.env`.

Two profiles are tested: `embedded` (files and SQLite, nothing to install) and `stack` (servers).
Parts of the embedded one can be servers too: the books and the SQL engine on PostgreSQL, landing in
an S3 store, the log on Kafka. A mix that can't work is refused in one sentence.
"""

import os
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError

from clearhouse.core.database_access import DatabaseAccess
from clearhouse.core.errors import SettingsError
from clearhouse.core.setting_checks import check_path, check_proxies, check_store
from clearhouse.core.urls import SecretUrl
from clearhouse.declared_settings import DeclaredSettings

SCHEMES: dict[str, tuple[str, ...]] = {
    "landing_url": ("file", "s3"),
    "export_url": ("file", "s3"),
    "log_url": ("sqlite", "kafka", "kafka+ssl"),
    "database_url": ("sqlite", "postgresql"),
    "workflows_url": ("inline", "temporal", "temporal+tls"),
    "catalog_url": ("sqlite",),
    "engine_url": ("duckdb", "postgresql"),
    "engine_url_bnpl": ("duckdb", "postgresql"),
    "engine_url_retail": ("duckdb", "postgresql"),
    "engine_url_gl": ("duckdb", "postgresql"),
    "engine_url_payments": ("duckdb", "postgresql"),
    "gl_database_url": ("sqlite", "postgresql"),
    "payments_database_url": ("sqlite", "postgresql"),
}


class Settings(DeclaredSettings):
    """What is set, and what follows from it: the default of each part, and what domains use."""

    def model_post_init(self, _context: Any) -> None:
        """Fill in the embedded default of each part, under `clearhouse_home`."""
        home = _absolute(self.clearhouse_home)
        defaults = {
            "clearhouse_home": home,
            "landing_url": (home / "landing").as_uri(),
            "log_url": f"sqlite:///{home}/log.db",
            "database_url": f"sqlite:///{home}/clearhouse.db",
            "catalog_url": f"sqlite:///{home}/catalog.db",
            "engine_url": f"duckdb:///{home}/warehouse/{{domain}}.duckdb",
            "gl_database_url": f"sqlite:///{home}/gl.db",
            "payments_database_url": f"sqlite:///{home}/payments.db",
            "gl_service_keys_file": home / "gl_service_keys",
        }
        for name, value in defaults.items():
            if name == "clearhouse_home" or getattr(self, name) in ("", Path()):
                self.__dict__[name] = value

    def beside(self, home: Path) -> Self:
        """The same with another home for every store but those that hold what arrived.

        Landing, the log and the operational store of payments stay where they are. Nothing is
        exported from there, and nobody is alerted.
        """
        engines = [name for name in SCHEMES if name.startswith("engine_url")]
        stores = (
            "database_url", "catalog_url", *engines, "export_url", "gl_database_url",
        )  # fmt: skip
        unset = {"clearhouse_home": home, "slack_webhook_url": None, **dict.fromkeys(stores, "")}
        copy = self.model_copy(update=unset)
        copy.model_post_init(None)
        return copy

    @property
    def has_workflow_server(self) -> bool:
        """Whether durable workflows run on a server, and not inside the worker."""
        return self.workflows_url.startswith("temporal")

    def database_access(self, service: str) -> DatabaseAccess:
        """How a service uses a database on a server; commands have longer time-outs."""
        return DatabaseAccess(
            program=f"clearhouse {service}",
            pool_size=self.database_pool_size,
            statement_seconds=self.database_statement_seconds,
            lock_seconds=self.database_lock_seconds,
            idle_seconds=self.database_idle_seconds,
        )

    def engine_of(self, domain: str) -> Path | SecretUrl:
        """What a domain is built in: the file of the embedded engine, or a database on a server."""
        url = getattr(self, f"engine_url_{domain}", "") or self.engine_url
        if isinstance(url, SecretUrl):
            return url
        return Path(url.removeprefix("duckdb:///").replace("{domain}", domain))

    def engine_variable(self, domain: str) -> str:
        """The setting that names what a domain is built in."""
        own = f"engine_url_{domain}"
        return (own if getattr(self, own, "") else "engine_url").upper()

    @property
    def readers_path(self) -> Path:
        """File that readers of the embedded engine open."""
        return self.clearhouse_home / "published.duckdb"

    @property
    def concurrency(self) -> int:
        """The number of days asked for at the same time."""
        return self.bnpl_concurrency or (1 if self.bnpl_api_url else 4)

    @property
    def pattern(self) -> str:
        """The volume pattern in force."""
        if self.bnpl_pattern != "auto":
            return self.bnpl_pattern
        return "source" if self.bnpl_api_url else "day_type"


def _absolute(home: Path) -> Path:
    """A folder by its absolute path without links: tables name their files by it.

    Raises:
        SettingsError: it is none that local stores can lie in.
    """
    try:
        absolute = Path(os.path.realpath(home.expanduser()))
    except RuntimeError:
        raise SettingsError(
            f"CLEARHOUSE_HOME={home} begins with a user who has no home here: write the whole path."
        ) from None
    check_path("CLEARHOUSE_HOME", str(absolute))
    return absolute


def load_settings(**overrides: Any) -> Settings:
    """Settings from the environment, `.env` and the overrides given.

    Raises:
        SettingsError: a value is wrong or a mix is not supported, in one sentence that holds no
            value which may be secret.
    """
    try:
        settings = Settings(**overrides)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        name = str(first["loc"][0]).upper()
        reason = first["msg"].removeprefix("Value error, ").rstrip(".")
        raise SettingsError(
            f"{name} is set to a value that can't be used: {reason[:1].lower()}{reason[1:]}."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SettingsError(f".env can't be read ({why}): correct it or remove it.") from None
    for name, schemes in SCHEMES.items():
        url = getattr(settings, name)
        if isinstance(url, str) and url:
            check_store(name.upper(), url, schemes)
    if settings.export_url.rstrip("/") == settings.landing_url.rstrip("/"):
        raise SettingsError(
            "EXPORT_URL is what LANDING_URL is: take another place for exports, as landing holds "
            "what arrived and nothing else."
        )
    _check_workflows(settings)
    check_proxies()
    return settings


def _check_workflows(settings: Settings) -> None:
    """See that workflows of a server have their events and their effects on servers too."""
    if not settings.has_workflow_server:
        return
    on_servers = settings.log_url.startswith("kafka") and not str(
        settings.payments_database_url
    ).startswith("sqlite")
    if not on_servers:
        raise SettingsError(
            "WORKFLOWS_URL names Temporal: set LOG_URL to kafka://… and PAYMENTS_DATABASE_URL to "
            "postgresql://… too, or leave it unset."
        )


def shown(settings: Settings) -> dict[str, str]:
    """Every setting as text, secrets masked."""
    return {name.upper(): _masked(getattr(settings, name)) for name in Settings.model_fields}


def _masked(value: object) -> str:
    if isinstance(value, SecretUrl):
        return value.masked
    return "" if value is None else str(value)
