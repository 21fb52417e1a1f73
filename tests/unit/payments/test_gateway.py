"""What the gateway answers when, and what it has kept then."""

import asyncio
import hashlib
import json
import threading

import msgspec
import pytest
from gateway_driver import BODIES, PAYPAL, SECRETS, MemoryLog, ask, running, sign, stripe_body
from webhook_signing import STRIPE_SECRET, adyen_body, adyen_item, stripe_headers

from clearhouse.log.log import LogError
from clearhouse.log.sqlite import SqliteLog
from clearhouse.payments.gateway import webhooks
from clearhouse.payments.signatures import Certificates, CertificateUnavailable
from clearhouse.payments.topics import TOPICS, WEBHOOKS
from clearhouse.payments.webhook import StoredWebhook


def asked(log, *arguments, **options):
    """The answer to one request."""
    more = {name: options.pop(name) for name in ("method", "parts") if name in options}

    async def act():
        async with running(log, **options) as app:
            return await ask(app, *arguments, **more)

    return asyncio.run(act())


def code(answer):
    status, headers, body = answer
    assert headers["content-type"] == "application/problem+json"
    problem = json.loads(body)
    assert problem["status"] == status
    return status, problem["code"]


@pytest.mark.parametrize(("provider", "account"), BODIES)
def test_a_signed_webhook_is_in_the_log_when_it_is_answered(provider, account):
    log, body = MemoryLog(), BODIES[provider, account]
    path, headers = sign(provider, body, account)

    status, _, answered = asked(log, path, headers, body)

    expected = (202, b"[accepted]") if provider == "adyen" else (200, b'{"status":"accepted"}')
    assert (status, answered) == expected
    (stored,) = log.webhooks
    assert (stored.provider, stored.account, stored.item, stored.items) == (provider, account, 0, 1)
    assert json.loads(stored.body) == json.loads(body)
    assert provider == "adyen" or stored.body.encode() == body
    assert stored.body_sha256 == hashlib.sha256(body).hexdigest()
    assert stored.key_id
    kept = b"".join(message.value for message in log.messages).decode()
    assert not any(secret in kept for secret in SECRETS)
    assert not any(value in kept for name, value in headers.items() if "sig" in name.lower())


def test_each_item_of_a_batch_is_a_message_of_its_own_or_none_is():
    items = [adyen_item(pspReference=f"REF{n}") for n in range(3)]
    log, body = MemoryLog(), adyen_body(*items)
    assert asked(log, "/webhooks/adyen", {}, body)[0] == 202
    assert [(each.item, each.items) for each in log.webhooks] == [(0, 3), (1, 3), (2, 3)]
    assert [json.loads(each.body)["notificationItems"][0]["NotificationRequestItem"]
            for each in log.webhooks] == items  # fmt: skip

    log, body = MemoryLog(), adyen_body(*items[:2], items[2] | {"success": "false"})
    assert code(asked(log, "/webhooks/adyen", {}, body)) == (401, "signature_refused")
    assert log.messages == []


@pytest.mark.parametrize("wrong", [{"eventCode": None}, {"pspReference": ""}])
def test_an_item_that_is_no_notification_takes_no_other_with_it(wrong):
    good, bad = adyen_item(pspReference="REF0"), adyen_item(**wrong)
    log, body = MemoryLog(), adyen_body(good, bad)
    assert asked(log, "/webhooks/adyen/pos", {}, body)[0] == 202
    (stored,), (letter,) = log.webhooks, log.letters
    assert (stored.item, json.loads(stored.body)) == (0, json.loads(adyen_body(good)))
    again = msgspec.json.decode(letter.message, type=StoredWebhook)  # as it is redriven
    assert (again.item, json.loads(again.body)) == (1, json.loads(adyen_body(bad)))
    assert again.automatic_capture
    assert letter.letter_id.endswith(":1")


def test_what_two_endpoints_tell_of_one_account_is_of_that_account():
    body = stripe_body()
    log = MemoryLog()
    for path, secret in (("stripe", STRIPE_SECRET), ("stripe/thin", "whsec_thin")):
        assert asked(log, f"/webhooks/{path}", stripe_headers(body, secret), body)[0] == 200
    assert [each.account for each in log.webhooks] == ["default", "default"]
    assert len({message.key for message in log.messages}) == 1


@pytest.mark.parametrize(("path", "is_automatic"), [("adyen", False), ("adyen/pos", True)])
def test_a_webhook_is_stored_with_the_capture_that_is_declared(path, is_automatic):
    log = MemoryLog()
    assert asked(log, f"/webhooks/{path}", {}, adyen_body(adyen_item()))[0] == 202
    (stored,) = log.webhooks
    assert stored.automatic_capture is is_automatic


def test_card_numbers_are_masked_and_ids_are_not():
    number = "4242424242424242"
    body = stripe_body(id=number, description=f"card {number}")
    log = MemoryLog()
    assert asked(log, *sign("stripe", body), body)[0] == 200
    (stored,) = log.webhooks
    assert stored.body.encode() == body.replace(f"card {number}".encode(), b"card 424242******4242")
    assert stored.masked == ("/data/object/description",)
    assert stored.body_sha256 == hashlib.sha256(body).hexdigest()


@pytest.mark.parametrize(
    ("body", "reason", "kept"),
    [
        (b'{"type":"x","card":"4242424242424242"}', "no_event", "424242******4242"),
        (b'{"type":"x","id":"4242424242424242"', "not_json", "424242******4242"),
        (b'{"type":"x","id":4}', "no_event", '"id":4'),
        (b'"\xff4242424242424242', "not_utf8", ""),
    ],
)
def test_what_is_signed_and_malformed_is_a_dead_letter_without_card_numbers(body, reason, kept):
    log = MemoryLog()
    assert asked(log, *sign("stripe", body), body)[0] == 200
    (letter,) = log.letters
    assert (letter.stage, letter.code, letter.provider) == ("gateway", reason, "stripe")
    assert letter.body_sha256 == hashlib.sha256(body).hexdigest()
    assert b"4242424242424242" not in log.messages[0].value
    message = json.loads(bytes(letter.message))
    assert (message is None) == bool(letter.body_base64)
    if message:
        assert kept in message["body"]
        assert message["key_id"].startswith("key-")


def test_a_wrong_signature_is_counted_and_nothing_of_it_is_kept():
    log, body = MemoryLog(), stripe_body()

    async def act():
        async with running(log) as app:
            answers = [
                await ask(app, "/webhooks/stripe", headers, body)
                for headers in ({}, stripe_headers(body, "another"), {"Stripe-Signature": "é"})
            ]
            return answers, (await ask(app, "/metrics", method="GET"))[2].decode()

    answers, metrics = asyncio.run(act())
    assert {code(each) for each in answers} == {(401, "signature_refused")}
    assert log.messages == []
    assert 'gateway_webhooks_total{outcome="signature_refused",provider="stripe"}' in metrics
    assert 'gateway_signatures_refused_total{code="bad_signature",provider="stripe"}' in metrics
    assert not any(secret in metrics for secret in SECRETS)


def test_an_older_secret_of_an_account_is_live_beside_the_new_one():
    body = stripe_body()
    for secret, status in (("whsec_old", 200), ("whsec_new", 200), ("whsec_older", 401)):
        headers = stripe_headers(body, secret)
        assert asked(MemoryLog(), "/webhooks/stripe/connect", headers, body)[0] == status


@pytest.mark.parametrize(
    ("path", "more", "expected"),
    [
        ("/webhooks/klarna", {}, (404, "not_found")),
        ("/webhooks/stripe/another", {}, (404, "not_found")),
        ("/webhooks/", {}, (404, "not_found")),
        ("/webhooks/stripe/connect/x", {}, (404, "not_found")),
        ("/elsewhere", {}, (404, "not_found")),
        ("/webhooks/stripe", {"method": "GET"}, (405, "method_not_allowed")),
        ("/webhooks/stripe", {"headers": {"Content-Encoding": "gzip"}},
         (415, "encoding_not_supported")),
        ("/webhooks/stripe", {"headers": {"Content-Length": "99999999"}}, (413, "body_too_large")),
        ("/webhooks/stripe", {"parts": [b"x" * 300_000] * 2}, (413, "body_too_large")),
        ("/webhooks/stripe", {"parts": [b"x" * 600_000]}, (413, "body_too_large")),
    ],
)  # fmt: skip
def test_what_is_refused_before_any_signature(path, more, expected):
    log = MemoryLog()
    headers = more.pop("headers", {})
    assert code(asked(log, path, headers, **more)) == expected
    assert log.messages == []


def test_a_body_in_parts_is_one_body_and_a_cut_off_one_is_none():
    log, body = MemoryLog(), stripe_body()
    path, headers = sign("stripe", body)
    assert asked(log, path, headers, parts=[body[:10], body[10:30], b"", body[30:]])[0] == 200

    async def act():
        async with running(log) as app:
            messages = [{"type": "http.request", "body": body, "more_body": True}]
            sent = []

            async def receive():
                return messages.pop() if messages else {"type": "http.disconnect"}

            async def send(message):
                sent.append(message)

            pairs = [(k.lower().encode(), v.encode()) for k, v in headers.items()]
            scope = {"type": "http", "method": "POST", "path": path, "headers": pairs}
            await app(scope, receive, send)
            return sent

    assert asyncio.run(act()) == []
    assert len(log.webhooks) == 1


def test_while_the_log_is_down_webhooks_are_to_be_sent_again_and_it_is_not_ready():
    log, body = MemoryLog(), stripe_body()

    async def act():
        async with running(log) as app:
            ready = [(await ask(app, "/health/ready", method="GET"))[0]]
            log.error = "log_full"
            failed = await ask(app, *sign("stripe", body), body)
            ready.append((await ask(app, "/health/ready", method="GET"))[0])
            live = (await ask(app, "/health/live", method="GET"))[0]
            log.error = None
            again = await ask(app, *sign("stripe", body), body)
            ready.append((await ask(app, "/health/ready", method="GET"))[0])
            return failed, again, ready, live

    failed, again, ready, live = asyncio.run(act())
    assert code(failed) == (503, "log_unavailable")
    assert int(failed[1]["retry-after"]) > 0
    assert again[0] == 200
    assert (ready, live) == ([200, 503, 200], 200)
    assert len(log.webhooks) == 1


def test_a_certificate_that_can_not_be_had_is_no_refusal():
    def down(_host, _path):
        raise CertificateUnavailable("certificate_unavailable", "PayPal does not answer.")

    log, body = MemoryLog(), BODIES["paypal", "default"]
    answer = asked(log, *sign("paypal", body), body, certificates=Certificates([PAYPAL.root], down))
    assert code(answer) == (503, "certificate_unavailable")
    assert "retry-after" in answer[1]


def test_many_at_once_are_each_in_the_log_when_they_are_answered(tmp_path):
    path = tmp_path / "log.db"

    def opened():
        return SqliteLog(path, [topic.name for topic in TOPICS])

    async def act():
        bodies = [stripe_body(id=f"ch_{n}") for n in range(200)]
        async with running(None, open_log=opened) as app:
            answers = await asyncio.gather(
                *(ask(app, *sign("stripe", body), body) for body in bodies)
            )
        return [status for status, _, _ in answers], bodies

    statuses, bodies = asyncio.run(act())
    log = opened()
    kept = [json.loads(record.value)["body"].encode() for record in log.read(WEBHOOKS.name, 0)]
    log.close()
    assert statuses == [200] * 200
    assert sorted(kept) == sorted(bodies)


def test_stopping_waits_for_what_is_being_written_and_takes_nothing_after_it():
    log, body = MemoryLog(), stripe_body()
    may_go_on = threading.Event()
    append = log.append
    log.append = lambda messages, progress=None: (may_go_on.wait(10), append(messages))[1]

    async def act():
        async with running(log) as app:
            asking = asyncio.create_task(ask(app, *sign("stripe", body), body))
            await asyncio.sleep(0.01)
            closing = asyncio.create_task(app.app.state.intake.close())
            await asyncio.sleep(0.01)
            late = await ask(app, *sign("stripe", body), body)
            may_go_on.set()
            answered = await asking
            await closing
            return late, answered

    late, answered = asyncio.run(act())
    assert code(late) == (503, "log_unavailable")
    assert answered[0] == 200
    assert len(log.webhooks) == 1
    assert log.is_closed


def test_a_log_that_can_not_be_opened_stops_the_start():
    def broken():
        raise LogError("The log can't be opened.")

    with pytest.raises(LogError):
        asked(None, "/health/live", method="GET", open_log=broken)


def test_openapi_shows_the_webhooks_with_an_example_of_each_provider():
    schema = json.loads(asked(MemoryLog(), "/openapi.json", method="GET")[2])
    operation = schema["paths"]["/webhooks/{provider}"]["post"]
    examples = operation["requestBody"]["content"]["application/json"]["examples"]
    assert set(examples) == {"stripe", "square", "adyen", "paypal"}
    assert {"200", "202", "401", "413", "503"} <= set(operation["responses"])


def test_a_body_of_which_nothing_comes_is_not_waited_for_for_ever(monkeypatch):
    monkeypatch.setattr(webhooks, "_SECONDS_FOR_A_BODY", 0.01)

    async def act():
        async with running(MemoryLog()) as app, asyncio.timeout(30):
            return await ask(app, *sign("stripe", stripe_body()), parts=[None])

    assert code(asyncio.run(act())) == (408, "too_slow")
