"""All that the service's OpenAPI document lets one ask, asked: answers are as described, no 5xx."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from gl_service import KEYS, Running, Time, options, serving
from hypothesis import HealthCheck, Phase, given, settings

ENDLESS = ("/v1/lines/stream", "/get-gl")
OPERATIONS = [
    "GET /v1/lines", "GET /v1/lines/export", "GET /v1/lines/{gl_entry_id}", "GET /v1/journals",
    "GET /v1/journals/{journal_entry}", "POST /v1/journals",
    "POST /v1/journals/{journal_entry}/reverse", "GET /v1/accounts", "GET /v1/accounts/{code}",
    "GET /v1/accounts/{code}/balance", "GET /v1/trial-balance", "GET /v1/periods",
    "GET /v1/periods/{fiscal_period}", "POST /v1/periods/{fiscal_period}/{change}",
    "GET /health/live", "GET /health/ready", "GET /", "GET /health", "GET /get-gl-batch",
]  # fmt: skip


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serving(options(tmp_path_factory.mktemp("gl"), Time(), days=12)) as running:
        yield running


@pytest.fixture(scope="module")
def document(service: Running) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{service.url}/openapi.json").json()
    return found


def test_the_list_of_operations_is_whole(document: dict[str, Any]) -> None:
    described = {
        f"{method.upper()} {path}"
        for path, methods in document["paths"].items()
        for method in methods
        if path not in ENDLESS
    }
    assert described == set(OPERATIONS)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_whatever_is_asked_is_answered_as_described(
    service: Running, document: dict[str, Any], operation: str
) -> None:
    method, path = operation.split()
    schema = schemathesis.openapi.from_dict(document)
    headers = {"X-API-Key": KEYS["admin"]}

    @given(case=schema[path][method].as_strategy())
    @settings(
        max_examples=4,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any) -> None:
        answer = case.call(base_url=service.url, headers=headers)
        assert answer.status_code < 500, answer.text
        if answer.status_code < 300:
            case.validate_response(answer)
        elif path.startswith("/v1/"):
            assert "application/problem+json" in answer.headers["content-type"][0]

    ask()


def test_the_examples_of_the_document_work(service: Running, document: dict[str, Any]) -> None:
    body = document["components"]["schemas"]["JournalIn"]["examples"][0]
    today = f"{service.time():%Y-%m-%d}"
    posted = service.post({**body, "posting_date": today}, "example", by="admin")
    assert posted.status_code == 201
    undo = document["components"]["schemas"]["ReversalIn"]["examples"][0]
    undone = service.admin.post(
        f"/v1/journals/{posted.json()['journal_entry']}/reverse",
        json={**undo, "posting_date": today},
        headers={"Idempotency-Key": "undo-example"},
    )
    assert undone.status_code == 201
