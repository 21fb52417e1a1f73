"""Settings: each part is named by a URL, read from the environment or `.env`.

Two profiles are meant: `embedded` (files and SQLite, nothing to install) and `stack` (servers).
This version runs the embedded one; anything else is refused in one sentence.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from urllib.request import url2pathname

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from clearhouse.core.errors import SettingsError

EMBEDDED_SCHEMES: dict[str, tuple[str, ...]] = {
    "landing_url": ("file",),
    "log_url": ("sqlite",),
    "database_url": ("sqlite",),
    "workflows_url": ("inline",),
    "catalog_url": ("sqlite",),
    "engine_url": ("duckdb",),
    "cache_url": ("sqlite",),
}
_UNUSABLE = frozenset("%?#'\"")


class Settings(BaseSettings):
    """Everything that can be set. Names in the environment are those below in capitals."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)

    clearhouse_home: Path = Field(Path(".clearhouse"), description="Folder of all local state.")
    landing_url: str = Field("", description="Raw bytes by source and day: file://…")
    log_url: str = Field("", description="Event log between services: sqlite:///…")
    database_url: str = Field("", description="Operational store and the books: sqlite:///…")
    workflows_url: str = Field("inline://", description="Durable workflows: inline://")
    catalog_url: str = Field("", description="Iceberg catalog of the bronze tables: sqlite:///…")
    engine_url: str = Field("", description="SQL engine for silver and gold: duckdb:///…")
    cache_url: str = Field("", description="Cache and online features: sqlite:///…")

    bnpl_api_url: str | None = Field(
        None, description="A simtom to pull from. Unset: the sandbox stands in, and says so."
    )
    bnpl_pattern: Literal["auto", "day_type", "source"] = Field(
        "auto",
        description="How a day's volume is asked for: day_type with the sandbox, source with "
        "a real simtom.",
    )
    bnpl_base_daily_volume: int = Field(
        1000, ge=1, le=10_000_000, description="base_daily_volume for the pattern `source`."
    )
    bnpl_seed: int = Field(42, ge=1, description="Seed that the source is asked for.")
    bnpl_concurrency: int | None = Field(
        None,
        ge=1,
        le=64,
        description="Days asked for side by side. Unset: 1 with BNPL_API_URL, as the answers of a "
        "real simtom depend on each other; 4 with the sandbox.",
    )

    bnpl_ask_by: Literal["day", "range"] = Field(
        "day",
        description="One request a day, or one for the whole window (simtom answers the two with "
        "different records: keep to one).",
    )

    slack_webhook_url: SecretStr | None = Field(
        None, description="Where a held day is told, in Slack's incoming-webhook format."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "warning", description="Least level of what is logged to standard error."
    )
    log_format: Literal["auto", "console", "json"] = Field(
        "auto", description="auto: readable in a terminal, JSON elsewhere."
    )

    def model_post_init(self, _context: Any) -> None:
        """Fill in the embedded default of each part, under `clearhouse_home`."""
        home = self.clearhouse_home.expanduser().absolute()
        defaults = {
            "clearhouse_home": home,
            "landing_url": f"file://{home}/landing",
            "log_url": f"sqlite:///{home}/log.db",
            "database_url": f"sqlite:///{home}/clearhouse.db",
            "catalog_url": f"sqlite:///{home}/catalog.db",
            "engine_url": f"duckdb:///{home}/warehouse.duckdb",
            "cache_url": f"sqlite:///{home}/cache.db",
        }
        for name, value in defaults.items():
            if name == "clearhouse_home" or not getattr(self, name):
                self.__dict__[name] = value

    @property
    def engine_path(self) -> Path:
        """File of the embedded engine."""
        return Path(self.engine_url.removeprefix("duckdb:///"))

    @property
    def concurrency(self) -> int:
        """The number of days asked for side by side."""
        return self.bnpl_concurrency or (1 if self.bnpl_api_url else 4)

    @property
    def pattern(self) -> str:
        """The volume pattern in force."""
        if self.bnpl_pattern != "auto":
            return self.bnpl_pattern
        return "source" if self.bnpl_api_url else "day_type"


def load_settings(**overrides: Any) -> Settings:
    """Settings from the environment, `.env` and the overrides given.

    Raises:
        SettingsError: a value is wrong or a mix is not supported, in one sentence.
    """
    try:
        settings = Settings(**overrides)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"]).upper()
        raise SettingsError(
            f"{name} is set to a value that can't be used: {first['msg'].lower()}."
        ) from None
    if _UNUSABLE & set(str(settings.clearhouse_home)):
        raise SettingsError(
            f"CLEARHOUSE_HOME={settings.clearhouse_home} has a character that URLs and SQL read "
            f"as something else: name a folder without any of {' '.join(sorted(_UNUSABLE))}."
        )
    for name, schemes in EMBEDDED_SCHEMES.items():
        url = getattr(settings, name)
        scheme, found, rest = url.partition("://")
        shown = f"{scheme}://…" if found else repr(url)
        if not found:
            raise SettingsError(f"{name.upper()} is not a URL: {shown}; write {schemes[0]}://….")
        if scheme not in schemes:
            raise SettingsError(
                f"{name.upper()}={shown} is not supported by this version, which runs the embedded "
                f"profile: use {' or '.join(s + '://' for s in schemes)} or leave it unset."
            )
        if scheme != "inline" and not rest.startswith("/"):
            raise SettingsError(
                f"{name.upper()} needs three slashes and a path: {scheme}:///path/to/it."
            )
    if settings.bnpl_api_url and not settings.bnpl_api_url.startswith(("http://", "https://")):
        raise SettingsError("BNPL_API_URL must begin with http:// or https://.")
    return settings


def make_folders(settings: Settings) -> None:
    """Make the folders of local state that the settings name, and see that they can be written.

    Raises:
        SettingsError: one can't be, in a sentence that names its setting.
    """
    for name, folder, file in _places(settings):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = "a file is in its way" if _in_the_way(folder) else error.strerror
            raise SettingsError(
                f"{name}: the folder {folder} can't be made ({reason}): set it to one that can."
            ) from None
        if file is not None and file.is_dir():
            raise SettingsError(f"{name}: {file} is a folder: set it to the path of a file.")
        for path in (folder, file):
            if path is not None and path.exists() and not os.access(path, os.R_OK | os.W_OK):
                raise SettingsError(
                    f"{name}: {path} can't be written: give yourself the right to, or set it to "
                    "another place."
                )


def _places(settings: Settings) -> Iterator[tuple[str, Path, Path | None]]:
    """Setting, folder and, where one is named, the file in it, of each store in use."""
    yield "CLEARHOUSE_HOME", settings.clearhouse_home, None
    yield "LANDING_URL", Path(url2pathname(urlsplit(settings.landing_url).path)), None
    for name in ("database_url", "catalog_url", "engine_url"):
        file = Path(getattr(settings, name).partition(":///")[2])
        yield name.upper(), file.parent, file


def _in_the_way(folder: Path) -> bool:
    return any(path.is_file() for path in (folder, *folder.parents))


def shown(settings: Settings) -> dict[str, str]:
    """Every setting as text, secrets and passwords in URLs masked."""
    values: dict[str, str] = {}
    for name in Settings.model_fields:
        value = getattr(settings, name)
        text = "" if value is None else str(value)
        values[name.upper()] = _masked(text)
    return values


def _masked(text: str) -> str:
    """A URL without what stands before its @ and after its ?."""
    scheme, found, rest = text.partition("://")
    if not found:
        return text
    host, slash, path = rest.partition("/")
    if "@" in host:
        host = "***@" + host.rsplit("@", 1)[1]
    path, question, _ = path.partition("?")
    return f"{scheme}://{host}{slash}{path}" + ("?***" if question else "")
