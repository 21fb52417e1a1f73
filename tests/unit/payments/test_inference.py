"""The models, and asking them: in process and over HTTP, when the service does not answer too."""

import asyncio
import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path

import httpx
import msgspec
import pytest
from payment_events import AT, an_event

from clearhouse.cache.rate_limit import RateLimit
from clearhouse.cache.shared import SharedRedis
from clearhouse.payments.event import EventType, PaymentEvent
from clearhouse.payments.inference.app import MOST_CASES, create_app
from clearhouse.payments.inference.client import FRAUD_PATH, InProcess
from clearhouse.payments.inference.examples import EXAMPLE
from clearhouse.payments.inference.model import Case, FraudScore, History
from clearhouse.payments.inference.opening import inference_from
from clearhouse.payments.inference.over_http import OverHttp, Patience
from clearhouse.payments.inference.scorecards import CHURN, FRAUD, Scorecard
from clearhouse.settings import load_settings

DAY = dt.timedelta(days=1)


def a_failure(code: str | None, **changes: object) -> PaymentEvent:
    return an_event(EventType.FAILED, failure_code=code, **changes)


@pytest.mark.parametrize(
    ("event", "history", "outcome", "reasons"),
    [
        (an_event(method="card", card_brand="visa", customer_id="c"), History(), "allow", ()),
        (
            an_event(amount_minor=50, method="wallet", customer_id="c"),
            History(failures=3),
            "review",
            ("small_after_failures", "failed_often", "wallet"),
        ),
        (
            a_failure("Stolen-Card", method="card", card_brand="visa", customer_id="c"),
            History(disputes=1),
            "block",
            ("refused_as_fraud", "disputed_before"),
        ),
        (
            an_event(amount_minor=2_000_000, currency="JPY", method="card", card_brand="jcb"),
            History(),
            "allow",
            ("amount_over_10000", "no_customer"),
        ),
    ],
)
def test_fraud_is_scored_with_reasons(
    event: PaymentEvent, history: History, outcome: str, reasons: tuple[str, ...]
) -> None:
    [score] = InProcess().score_fraud([event], [history])
    assert (score.outcome, score.reasons) == (outcome, reasons)
    assert 0 <= score.score <= 1000


def test_an_amount_counts_in_units_of_its_currency() -> None:
    """100,000 rupiah are a lunch, 100,000 euros are not; 1.000 dinar has three decimals."""
    scored = InProcess().score_fraud(
        [
            an_event(amount_minor=100_000_00, currency=currency, method="card", card_brand="v")
            for currency in ("IDR", "EUR", "KWD")
        ]
    )
    assert [score.reasons[0] for score in scored] == [
        "no_customer", "amount_over_10000", "amount_over_10000",
    ]  # fmt: skip
    assert scored[0].score < scored[1].score


@pytest.mark.parametrize(
    ("code", "failures", "outcome", "waits"),
    [
        ("stolen_card", 0, "never", []),
        ("Blocked Card", 0, "never", []),
        *((code, 0, "never", []) for code in (
            "do_not_try_again", "pin_try_exceeded", "highest_risk_level", "Issuer Suspected Fraud",
            "Transaction blocked by Adyen to prevent excessive retry fees", "ACCOUNT_UNUSABLE",
            "DECLINED_BY_RISK_FRAUD_FILTERS", "PPRN", "9520",
        )),
        ("new_account_information_available", 0, "customer", []),
        ("CARD_EXPIRED", 0, "customer", []),
        ("3D Not Authenticated", 0, "customer", []),
        ("insufficient_funds", 0, "later", [DAY, 3 * DAY, 7 * DAY, 14 * DAY]),
        ("Not enough balance", 3, "later", [7 * DAY]),
        ("insufficient_funds", 4, "never", []),
        ("do_not_honor", 0, "later", [DAY, 4 * DAY]),
        ("issuer_not_available", 0, "soon",
         [dt.timedelta(minutes=15), dt.timedelta(minutes=75), dt.timedelta(minutes=435)]),
        ("a code of tomorrow", 0, "later", [DAY]),
        (None, 0, "later", [DAY]),
    ],
)  # fmt: skip
def test_a_failure_is_tried_again_by_the_family_of_its_code(
    code: str | None, failures: int, outcome: str, waits: list[dt.timedelta]
) -> None:
    [plan] = InProcess().plan_retry([a_failure(code)], [History(failures=failures)])
    assert (plan.outcome, [at - AT for at in plan.attempts]) == (outcome, waits)


def test_churn_grows_with_what_goes_wrong() -> None:
    event = an_event(customer_id="c")
    histories = [History(), History(failures=1), History(failures=1, refunds=1, disputes=1)]
    found = InProcess().predict_churn([event] * 3, histories)
    assert [each.outcome for each in found] == ["low", "low", "high"]
    assert found[0].score < found[1].score < found[2].score


class Service:
    """The service, asked without a server."""

    def __init__(self, limit: RateLimit | None = None) -> None:
        self._transport = httpx.ASGITransport(create_app(limit))

    def ask(self, method: str, path: str, content: bytes = b"") -> httpx.Response:
        async def asked() -> httpx.Response:
            async with httpx.AsyncClient(
                transport=self._transport, base_url="http://inference"
            ) as client:
                return await client.request(method, path, content=content)

        return asyncio.run(asked())

    def get(self, path: str) -> httpx.Response:
        return self.ask("GET", path)

    def post(self, path: str, content: object) -> httpx.Response:
        encoded = content if isinstance(content, bytes) else msgspec.json.encode(content)
        return self.ask("POST", path, encoded)


@pytest.fixture
def service() -> Service:
    return Service()


def over(service: Service, **patience: float) -> OverHttp:
    """The client, whose requests the service in this process answers."""

    def answer(request: httpx.Request) -> httpx.Response:
        found = service.ask(request.method, request.url.path, request.content)
        return httpx.Response(found.status_code, content=found.content)

    return OverHttp("http://inference", Patience(**patience), httpx.MockTransport(answer))


def test_over_http_the_models_say_what_they_say_in_process(service: Service) -> None:
    events = [
        a_failure(code, event_id=f"stripe:evt_{number}")
        for number, code in enumerate(["stolen_card", "insufficient_funds", None])
    ]
    histories = [History(failures=number) for number in range(3)]
    here, there = InProcess(), over(service, batch=2)
    assert there.score_fraud(events, histories) == here.score_fraud(events, histories)
    assert there.plan_retry(events, histories) == here.plan_retry(events, histories)
    assert there.predict_churn(events) == here.predict_churn(events)


def test_a_client_that_asks_too_often_is_told_when_to_come_again() -> None:
    limit = RateLimit(SharedRedis(None), "inference", requests_per_minute=12)
    service, case = Service(limit), Case(event=an_event())
    assert [service.post(FRAUD_PATH, case).status_code for _ in range(3)] == [200, 200, 429]
    refused = service.post(FRAUD_PATH, case)
    assert refused.json()["code"] == "too_many_requests"
    assert 1 <= int(refused.headers["Retry-After"]) <= 5
    assert service.get("/health/ready").status_code == 200

    (judged,) = over(service).score_fraud([an_event()])
    (here,) = InProcess().score_fraud([an_event()])
    assert judged.reasons == ("inference_status_429", *here.reasons)
    assert (judged.outcome, judged.score) == (here.outcome, here.score)


def answers(*given: Callable[[httpx.Request], httpx.Response]) -> tuple[OverHttp, list[str]]:
    """A client whose service answers in turn as given, and then as the last; what it was asked."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return given[min(len(asked), len(given)) - 1](request)

    patience = Patience(failures=2, open_seconds=60)
    return OverHttp("http://inference", patience, httpx.MockTransport(answer)), asked


def refuses(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


def is_silent(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("silent", request=request)


def speaks_of_others(_request: httpx.Request) -> httpx.Response:
    other = InProcess().score_fraud([an_event(event_id="stripe:other")])
    return httpx.Response(200, content=msgspec.json.encode(other))


def says(**changes: object) -> Callable[[httpx.Request], httpx.Response]:
    """A service whose answers are right but for some fields."""
    [right] = InProcess().score_fraud([an_event()])
    said = [msgspec.to_builtins(right) | changes]
    return lambda _: httpx.Response(200, content=msgspec.json.encode(said))


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (refuses, "inference_unreachable"),
        (is_silent, "inference_too_slow"),
        (lambda _: httpx.Response(503), "inference_status_503"),
        (lambda _: httpx.Response(200, content=b"<html>"), "inference_answer_broken"),
        (lambda _: httpx.Response(200, content=b"[]"), "inference_answer_broken"),
        (speaks_of_others, "inference_answer_broken"),
        (says(score=1 << 40), "inference_answer_broken"),  # a column would refuse each of these
        (says(score=-1), "inference_answer_broken"),
        (says(model="m" * 81), "inference_answer_broken"),
        (says(outcome="allow\0"), "inference_answer_broken"),
        (says(reasons=["\0"]), "inference_answer_broken"),
    ],
)
def test_what_the_service_does_not_answer_the_scorecard_does(
    fault: Callable[[httpx.Request], httpx.Response], reason: str
) -> None:
    client, _ = answers(fault)
    [expected] = InProcess().score_fraud([an_event()])
    assert client.score_fraud([an_event()]) == [
        msgspec.structs.replace(expected, is_fallback=True, reasons=(reason, *expected.reasons))
    ]


@pytest.mark.parametrize("attempts", [["2026-03-02T09:00:00"], ["2026-03-02T09:00:00Z"] * 101])
def test_a_plan_that_no_run_could_follow_is_none(attempts: list[str]) -> None:
    failure = a_failure("insufficient_funds")
    [right] = InProcess().plan_retry([failure])
    said = [msgspec.to_builtins(right) | {"attempts": attempts}]
    client, _ = answers(lambda _: httpx.Response(200, content=msgspec.json.encode(said)))
    [plan] = client.plan_retry([failure])
    assert plan.reasons[0] == "inference_answer_broken"


def test_a_service_that_is_down_is_not_asked_for_each_batch() -> None:
    client, asked = answers(refuses)
    found: list[FraudScore] = []
    for _ in range(20):
        found += client.score_fraud([an_event()])
    assert len(asked) <= 3
    assert all(score.is_fallback for score in found)
    assert found[-1].reasons[0] == "inference_circuit_open"


def test_an_answer_that_drips_ends_with_a_fallback() -> None:
    def drips(_request: httpx.Request) -> httpx.Response:
        def endless() -> object:
            while True:
                yield b" "

        return httpx.Response(200, content=endless())

    client = OverHttp("http://inference", Patience(call_seconds=0.05), httpx.MockTransport(drips))
    [score] = client.score_fraud([an_event()])
    assert score.is_fallback


def test_one_case_gets_one_answer_and_a_batch_a_list(service: Service) -> None:
    one = service.post("/retry/strategy", EXAMPLE).json()
    batch = service.post("/retry/strategy", [EXAMPLE]).json()
    assert one["outcome"] == "later"
    assert batch == [one]
    assert service.post("/retry/strategy", b"[]").json() == []


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "case_malformed"),
        (b"\xff", 400, "case_malformed"),
        (b'{"event":{}}', 400, "case_malformed"),
        (b"[" * 100_000, 400, "case_malformed"),
        (msgspec.json.encode([EXAMPLE] * (MOST_CASES + 1)), 413, "too_many_cases"),
    ],
)
def test_what_can_not_be_read_is_refused(
    service: Service, body: bytes, status: int, code: str
) -> None:
    answer = service.post("/fraud/score", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_the_examples_of_the_openapi_are_what_the_service_takes_and_gives(
    service: Service,
) -> None:
    described = service.get("/openapi.json").json()
    for path in ("/fraud/score", "/retry/strategy", "/churn/predict"):
        post = described["paths"][path]["post"]
        given = post["requestBody"]["content"]["application/json"]["examples"]
        promised = post["responses"]["200"]["content"]["application/json"]["examples"]
        for name, example in given.items():
            assert service.post(path, example["value"]).json() == promised[name]["value"]
    assert "PaymentEvent" in described["components"]["schemas"]


def test_health_and_metrics(service: Service) -> None:
    service.post("/fraud/score", EXAMPLE)
    assert service.get("/health/live").status_code == 200
    assert service.get("/health/ready").status_code == 200
    told = service.get("/metrics").text
    assert 'inference_requests_total{path="/fraud/score",status="200"} 1.0' in told


def test_the_setting_says_where_the_models_are() -> None:
    assert isinstance(inference_from(load_settings()), InProcess)
    served = load_settings(inference_url="http://127.0.0.1:8004")
    assert isinstance(inference_from(served), OverHttp)


def test_a_case_without_history_is_one_of_which_nothing_is_known() -> None:
    body = msgspec.json.encode({"event": msgspec.to_builtins(EXAMPLE.event)})
    assert msgspec.json.decode(body, type=Case).history == History()


@pytest.mark.parametrize("card", [FRAUD, CHURN])
def test_the_guide_lists_each_line_with_its_points(card: Scorecard) -> None:
    guide = Path("docs/guides/payments-inference.md").read_text("utf-8")
    section = guide.split(f"`{card.model}`")[1].split("\n## ")[0]
    listed = re.findall(r"^\| `(\w+)` \| ([+-]\d+) \|", section, re.MULTILINE)
    assert [(code, int(points)) for code, points in listed] == [
        (line.code, line.points) for line in card.lines
    ]
