"""Settings from the environment: what is meant is taken, what is wrong is one sentence."""

from pathlib import Path

import pytest

from clearhouse.core.errors import SettingsError
from clearhouse.settings import load_settings, shown

SECRET = "s3cret"
ON_SERVERS = ("DATABASE_URL", "ENGINE_URL", "ENGINE_URL_BNPL")
SQLITE_STORES = ("LOG_URL", "DATABASE_URL", "GL_DATABASE_URL")
STORES = ("LANDING_URL", "LOG_URL", "DATABASE_URL", "CATALOG_URL", "ENGINE_URL")


def test_an_empty_variable_is_unset_and_words_are_taken_in_any_case(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BNPL_SEED", "")
    monkeypatch.setenv("LOG_LEVEL", "INFO")
    (tmp_path / ".env").write_text("BNPL_API_URL=\nBNPL_PATTERN=Day_Type\n")
    settings = load_settings()

    assert (settings.bnpl_seed, settings.bnpl_api_url) == (42, None)
    assert (settings.log_level, settings.pattern) == ("info", "day_type")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BNPL_API_URL", f"http://ann:{SECRET}@127.0.0.1:70000"),
        ("BNPL_API_URL", f"ann:{SECRET}@host"),
        ("SLACK_WEBHOOK_URL", f"https://hooks.example:port/{SECRET}"),
        ("SLACK_WEBHOOK_URL", SECRET),
        ("HTTPS_PROXY", f"socks5://ann:{SECRET}@proxy"),
        ("http_proxy", f"ann:{SECRET}@proxy:70000"),
        ("ALL_PROXY", f"http://ann:{SECRET}@"),
        ("ALL_PROXY", f"http://ann:{SECRET}/a@proxy"),
        ("BNPL_SEED", SECRET),
        ("LOG_LEVEL", SECRET),
        ("ROLLBACK_DAYS", "1000000"),
        ("DATABASE_LOCK_SECONDS", "inf"),
        *((n, f"postgresql://ann:{SECRET}@host/db") for n in STORES if n not in ON_SERVERS),
        *((n, f"postgresql://ann:{SECRET}@host") for n in ON_SERVERS),
        *((n, f"postgresql://ann:{SECRET}@host:port/db") for n in ON_SERVERS),
        *((n, f"postgres://ann:{SECRET}@host/db") for n in ON_SERVERS),
        ("ENGINE_URL_RETAIL", f"trino://ann:{SECRET}@host/db"),
        *((name, f"ann:{SECRET}@host/db") for name in STORES),
        ("DATABASE_URL", f"sqlite:////books.db?key={SECRET}"),
        ("LANDING_URL", f"file:///landing#{SECRET}"),
        *((n, f"sqlite://{path}") for n in SQLITE_STORES for path in ("", "/", "/:memory:")),
    ],
)
def test_a_bad_value_is_refused_by_name_and_never_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError) as refused:
        load_settings(_env_file=None)

    assert refused.value.message.startswith(name.upper())
    assert SECRET not in refused.value.message
    assert refused.value.message.count("\n") == 0


def test_an_env_file_that_is_not_text_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_bytes(b"BNPL_SEED=\xff\n")

    with pytest.raises(SettingsError, match=r"^\.env can't be read"):
        load_settings()


@pytest.mark.parametrize("home", ["~nobody-of-this-name/x", *(f"/h{c}me" for c in "%?#'\"*[$`\\")])
def test_a_home_that_can_not_be_named_everywhere_is_refused(home: str) -> None:
    with pytest.raises(SettingsError, match=r"^CLEARHOUSE_HOME"):
        load_settings(_env_file=None, clearhouse_home=home)


def test_no_view_of_the_settings_holds_a_secret() -> None:
    settings = load_settings(
        _env_file=None,
        bnpl_api_url=f"https://{SECRET}:{SECRET}/{SECRET}@simtom.example/at?key={SECRET}#{SECRET}",
        slack_webhook_url=f"https://hooks.example/services/{SECRET}",
        database_url=f"postgresql://{SECRET}:{SECRET}/{SECRET}@books.example/db?sslkey={SECRET}",
        engine_url=f"postgresql://{SECRET}:{SECRET}/{SECRET}@engine.example/db?sslkey={SECRET}",
        engine_url_retail=f"postgresql://{SECRET}:{SECRET}@engine.example/retail",
    )

    assert shown(settings)["BNPL_API_URL"] == "https://***@simtom.example/at?***"
    assert shown(settings)["DATABASE_URL"] == "postgresql://***@books.example/db?***"
    assert shown(settings)["ENGINE_URL"] == "postgresql://***@engine.example/db?***"
    for view in (repr(settings), str(settings), str(settings.model_dump()), str(shown(settings))):
        assert SECRET not in view


def test_a_domain_can_have_an_engine_of_its_own(tmp_path: Path) -> None:
    settings = load_settings(
        _env_file=None,
        clearhouse_home=tmp_path,
        engine_url_retail="postgresql://ann:pw@engine.example/retail",
    )

    assert str(settings.engine_of("retail")) == "postgresql://engine.example/retail"
    assert settings.engine_variable("retail") == "ENGINE_URL_RETAIL"
    assert settings.engine_of("bnpl") == tmp_path / "warehouse" / "bnpl.duckdb"
    assert settings.engine_variable("bnpl") == "ENGINE_URL"
    beside = settings.beside(tmp_path / "scratch")
    assert beside.engine_of("retail") == tmp_path / "scratch" / "warehouse" / "retail.duckdb"
