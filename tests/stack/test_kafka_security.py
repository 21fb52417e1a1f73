"""Kafka by TLS and SASL, for real: who is let in, and what the others are told."""

import asyncio
from dataclasses import replace

import pytest
from kafka_logs import new_place
from log_contract import TOPICS, handled, some, values

from clearhouse.core.errors import SettingsError
from clearhouse.log.log import LogError, Progress
from clearhouse.log.opening import LogPlace, open_log
from clearhouse.log.preparing import prepare_log
from stack.certificates import Authority
from stack.secure_kafka import USER, running

PASSWORD = "correct-horse-battery-staple"


@pytest.fixture(scope="module")
def authorities(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    return Authority(folder, "ours"), Authority(folder, "another")


@pytest.fixture(scope="module")
def place(authorities, tmp_path_factory):
    with running(tmp_path_factory.mktemp("kafka"), authorities[0], PASSWORD) as address:
        known = {"user": USER, "password": PASSWORD, "ca_file": authorities[0].file}
        yield new_place(f"kafka+ssl://{address}", TOPICS, **known)


def test_who_is_known_and_trusts_the_authority_reads_and_writes(place):
    log = open_log(place, TOPICS)
    log.append(some("a", "1"), Progress("c", "store:orders", 1))

    async def append():
        appender = log.appender()
        await appender.append(some("a", "2"))
        await appender.close()

    asyncio.run(append())
    subscription = log.subscribe("c", "a")
    assert values(handled(subscription, 2)) == ["1", "2"]
    assert log.progress("c", "store:orders") == 1
    log.close()


def refused(call, place, code):
    """What a call ends with. On a busy machine, a time-out may come before the reason is known."""
    for _ in range(5):
        with pytest.raises(LogError) as caught:
            call(place, TOPICS)
        if caught.value.code == code:
            break
    return caught.value


@pytest.mark.parametrize(
    ("change", "code", "sentence"),
    [
        ({"password": "wrong-and-secret"}, "log_refused", "refuses the user clearhouse: check"),
        ({"user": None, "password": None}, "log_failed", "KAFKA_USERNAME is unset"),
        ({"ca_file": None}, "log_untrusted", "set KAFKA_CA_FILE"),
        ({"ca_file": "another"}, "log_untrusted", "set KAFKA_CA_FILE"),
    ],
)
def test_all_others_are_refused_in_a_sentence_without_the_password(
    place, authorities, capfd, change, code, sentence
):
    if change.get("ca_file"):
        change = {"ca_file": authorities[1].file}
    changed = replace(place, **change)
    for call in (open_log, prepare_log):
        error = refused(call, changed, code)
        assert (error.code, sentence in error.message) == (code, True)
        said = str(error) + repr(error) + repr(changed) + "".join(capfd.readouterr())
        assert PASSWORD not in said
        assert "wrong-and-secret" not in said


def test_a_password_is_not_sent_for_all_to_read_and_files_are_looked_for(tmp_path):
    plain = LogPlace("kafka://127.0.0.1:9", user="u", password="p", mechanism="PLAIN")
    with pytest.raises(SettingsError, match="PLAIN sends the password"):
        open_log(plain, TOPICS)
    missing = LogPlace("kafka+ssl://127.0.0.1:9", ca_file=tmp_path / "missing.crt")
    with pytest.raises(SettingsError, match=r"KAFKA_CA_FILE=.*missing\.crt"):
        open_log(missing, TOPICS)
    with pytest.raises(SettingsError, match="KAFKA_PASSWORD"):
        open_log(LogPlace("kafka://127.0.0.1:9", user="u"), TOPICS)
