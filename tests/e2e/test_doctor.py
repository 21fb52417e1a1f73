"""`clearhouse doctor`: what answers, with version and lag, and what to do where it does not."""

import json
import socket
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from cli_session import clearhouse
from payment_services import running_services

from clearhouse.core.lock import only_run
from clearhouse.log.log import Message
from clearhouse.log.opening import LogPlace
from clearhouse.payments.log_opening import open_payment_log
from clearhouse.payments.topics import WEBHOOKS

SECRET = "s3cret"


def asked(folder: Path, *options: str, **variables: str) -> tuple[int, dict[str, dict[str, Any]]]:
    answer = clearhouse(folder, "doctor", "--json", *options, **variables)
    assert SECRET not in answer.stdout + answer.stderr
    return answer.returncode, {each["check"]: each for each in json.loads(answer.stdout)}


def test_running_services_are_ready_and_what_waits_is_counted(tmp_path: Path) -> None:
    home = tmp_path / ".clearhouse"
    with running_services({"CLEARHOUSE_HOME": str(home)}) as services:
        services.until_ready()
        code, found = asked(tmp_path, "--service", f"gateway={services.url}")
        assert found["service gateway"]["detail"] == f"{services.url} is ready."
        assert code == 0

    log = open_payment_log(LogPlace(f"sqlite:///{home}/log.db"))
    log.append([Message(WEBHOOKS.name, "k", b"{}")] * 2)
    log.close()
    code, found = asked(tmp_path)
    assert code == 0
    assert found["payments lag"]["lag"] == 2
    assert found["payments lag"]["detail"].startswith(
        "Records that wait: 2 for the normalizer, 0 for the worker; the oldest for "
    )
    assert found["payments log"]["version"].startswith("SQLite 3.")
    assert found["payments store"]["lag"] == 0

    with closing(sqlite3.connect(home / "payments.db")) as store, store:
        store.execute("UPDATE payments_version SET version_num = '0006'")
    code, found = asked(tmp_path)
    assert (code, found["payments store"]["code"]) == (1, "older_tables")
    assert "start one of the services of payments" in found["payments store"]["detail"]


def test_a_part_that_is_set_and_does_not_answer_fails_and_says_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        code, found = asked(
            tmp_path,
            *("--service", f"gateway=http://ann:{SECRET}@127.0.0.1:9"),
            REDIS_URL=f"redis://:{SECRET}@127.0.0.1:{port}/0",
            OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9",
            SQUARE_WEBHOOK_KEY=SECRET,
            ENGINE_URL_RETAIL=f"postgresql://ann:{SECRET}@127.0.0.1:9/shop",
        )

    assert code == 1
    failed = {name: each["code"] for name, each in found.items() if not each["ok"]}
    assert failed == {
        "stores": "engine_failed",
        "cache": "server_failed",
        "tracing": "server_failed",
        "service gateway": "no_answer",
        "payments accounts": "bad_settings",
    }
    assert "unset REDIS_URL" in found["cache"]["detail"]
    assert found["service gateway"]["next_step"] == "see docs/runbooks/payments-service-down.md"
    assert found["service worker"]["ok"], "one that is not named need not run"


def test_a_warehouse_that_is_no_database_is_told_and_one_that_a_run_has_open_is_let_alone(
    tmp_path: Path,
) -> None:
    home = tmp_path / ".clearhouse"
    warehouse = home / "warehouse" / "bnpl.duckdb"
    warehouse.parent.mkdir(parents=True)
    warehouse.write_bytes(b"no database" * 1_000)
    _, found = asked(tmp_path)
    assert (found["stores"]["ok"], found["stores"]["code"]) == (False, "engine_failed")
    assert "`clearhouse rebuild` makes it again" in found["stores"]["detail"]
    with only_run(home, "bnpl"):
        _, found = asked(tmp_path)
    assert found["stores"]["ok"]
