"""Asking the inference service over HTTP.

Where the service can't be asked, the scorecard in process answers, and its answer says that it is a
fallback, and why.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import httpx
import msgspec
import structlog

from clearhouse.core import tracing
from clearhouse.core.circuits import OpenedState, SyncCircuitBreakerFactory
from clearhouse.core.endpoint import Endpoint
from clearhouse.core.not_json import NOT_JSON
from clearhouse.payments.event import PaymentEvent
from clearhouse.payments.inference.client import CHURN_PATH, FRAUD_PATH, RETRY_PATH, for_each
from clearhouse.payments.inference.families import retry_plan
from clearhouse.payments.inference.model import (
    Case,
    ChurnPrediction,
    FraudScore,
    History,
    Judgement,
    RetryPlan,
)
from clearhouse.payments.inference.scorecards import churn_prediction, fraud_score

_J = TypeVar("_J", bound=Judgement)
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the service is waited for. Times in seconds.

    Attributes:
        call_seconds: for one method's answers to all of its events; what is not there then is
            answered in process.
        silence_seconds: the longest within an answer.
        failures: in a row, that open the circuit: the service is not asked while it is open.
        open_seconds: how long that lasts.
        batch: events of one request.
        most_bytes: of one answer.
    """

    call_seconds: float = 2.0
    silence_seconds: float = 1.0
    connect_seconds: float = 0.5
    failures: int = 3
    open_seconds: float = 5.0
    batch: int = 500
    most_bytes: int = 16 << 20


class _AskingFailedError(Exception):
    """The service did not answer as it should.

    Args:
        reason: a code, the first reason of the fallbacks.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class OverHttp:
    """The inference service at a URL.

    Args:
        url: its base, http or https.
        transport: another way to it, for tests.

    Raises:
        SettingsError: the URL can't be used.
    """

    def __init__(
        self,
        url: str,
        patience: Patience | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._patience = patience or Patience()
        endpoint = Endpoint.parse(url, "the inference service")
        proxy = None if transport or not endpoint.proxy else endpoint.proxy.proxy
        self._client = httpx.Client(
            base_url=endpoint.url,
            auth=endpoint.auth,
            params=endpoint.params,
            headers={"User-Agent": "clearhouse", "Content-Type": "application/json"},
            timeout=httpx.Timeout(
                self._patience.silence_seconds, connect=self._patience.connect_seconds
            ),
            transport=transport,
            trust_env=False,
            proxy=proxy,
        )
        self._circuit = SyncCircuitBreakerFactory(
            default_threshold=self._patience.failures, default_ttl=self._patience.open_seconds
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def score_fraud(
        self, events: Sequence[PaymentEvent], histories: Sequence[History] | None = None
    ) -> list[FraudScore]:
        """How likely each is fraud."""
        return self._ask(FRAUD_PATH, FraudScore, fraud_score, events, histories)

    def plan_retry(
        self, events: Sequence[PaymentEvent], histories: Sequence[History] | None = None
    ) -> list[RetryPlan]:
        """Whether and when to try again what each says has failed."""
        return self._ask(RETRY_PATH, RetryPlan, retry_plan, events, histories)

    def predict_churn(
        self, events: Sequence[PaymentEvent], histories: Sequence[History] | None = None
    ) -> list[ChurnPrediction]:
        """How likely the customer of each is lost."""
        return self._ask(CHURN_PATH, ChurnPrediction, churn_prediction, events, histories)

    def _ask(
        self,
        path: str,
        answered: type[_J],
        judge: Callable[[PaymentEvent, History], _J],
        events: Sequence[PaymentEvent],
        histories: Sequence[History] | None,
    ) -> list[_J]:
        """Answers of the service in batches; from the first that fails on, of the scorecard."""
        cases = for_each(lambda e, h: Case(event=e, history=h), events, histories)
        deadline = time.monotonic() + self._patience.call_seconds
        answers: list[_J] = []
        try:
            for start in range(0, len(cases), self._patience.batch):
                batch = cases[start : start + self._patience.batch]
                with self._circuit.get_breaker("inference"):
                    answers += self._answers(path, answered, batch, deadline)
        except _AskingFailedError as error:
            reason = error.reason
            _log.warning("inference_failed", path=path, reason=reason)
        except OpenedState:
            reason = "inference_circuit_open"
        else:
            return answers
        rest = cases[len(answers) :]
        return answers + [_as_fallback(judge(case.event, case.history), reason) for case in rest]

    def _answers(
        self, path: str, answered: type[_J], cases: Sequence[Case], deadline: float
    ) -> list[_J]:
        """What the service says of a batch.

        Raises:
            _AskingFailedError: nothing, too late, or of something else.
        """
        try:
            with tracing.span("ask inference", "client", {"path": path}) as carried:
                body = self._post(path, msgspec.json.encode(cases), carried, deadline)
            answers: list[_J] = msgspec.json.decode(body, type=list[answered])  # type: ignore[valid-type]
        except httpx.TimeoutException:
            raise _AskingFailedError("inference_too_slow") from None
        except httpx.HTTPError:
            raise _AskingFailedError("inference_unreachable") from None
        except NOT_JSON:
            raise _AskingFailedError("inference_answer_broken") from None
        if [each.event_id for each in answers] != [case.event.event_id for case in cases]:
            raise _AskingFailedError("inference_answer_broken")
        return answers

    def _post(self, path: str, content: bytes, carried: tracing.Headers, deadline: float) -> bytes:
        body = bytearray()
        if time.monotonic() > deadline:
            raise _AskingFailedError("inference_too_slow")
        with self._client.stream("POST", path, content=content, headers=carried) as response:
            if not response.is_success:
                raise _AskingFailedError(f"inference_status_{response.status_code}")
            for chunk in response.iter_bytes():
                body += chunk
                if time.monotonic() > deadline:
                    raise _AskingFailedError("inference_too_slow")
                if len(body) > self._patience.most_bytes:
                    raise _AskingFailedError("inference_answer_broken")
        return bytes(body)


def _as_fallback(judgement: _J, reason: str) -> _J:
    return msgspec.structs.replace(
        judgement, is_fallback=True, reasons=(reason, *judgement.reasons)
    )
