"""A URL with a secret: what the client gets, what is shown, and which spellings are one place."""

import httpx
import pytest

from clearhouse.core.urls import SecretUrl, UrlError


@pytest.mark.parametrize(
    "written",
    [
        "http://ann:a/b#c?d@127.0.0.1:81/at",
        "http://ann:a%2Fb%23c%3Fd@127.0.0.1:81/at",
        "http://ann:a%2Fb%23c%3Fd@127.0.0.1:81/at#of-page",
    ],
)
def test_a_password_reaches_the_client_alone_however_it_is_escaped(written: str) -> None:
    url = SecretUrl.parse(written)
    sent = httpx.URL(url.for_client())

    assert (sent.username, sent.password, sent.path) == ("ann", "a/b#c?d", "/at")
    assert str(url) == "http://127.0.0.1:81/at"
    assert url.masked == "http://***@127.0.0.1:81/at"
    for secret in ("ann", "b#c", "%23", "of-page"):
        assert secret not in f"{url} {url!r} {url.identity} {url.masked}"


def test_more_than_one_at_sign_and_a_stray_percent_belong_to_the_password() -> None:
    sent = httpx.URL(SecretUrl.parse("https://ann:1%@2@host/").for_client())

    assert (sent.host, sent.password) == ("host", "1%@2")


@pytest.mark.parametrize(
    "spellings",
    [
        ("http://127.0.0.1:80", "http://localhost/", "http://[::1]", "HTTP://LocalHost.:80//"),
        ("http://127.0.0.1:8123", "http://ann:pw@localhost:8123/?key=1#x", "http://[0:0::1]:8123"),
        ("https://simtom.example/a%2Fb", "https://SIMTOM.example:443/a%2fb/"),
        ("https://xn--bcher-kva.example", "https://bücher.example:443"),
    ],
)
def test_every_spelling_of_a_place_is_the_same_source(spellings: tuple[str, ...]) -> None:
    assert len({SecretUrl.parse(text).identity for text in spellings}) == 1


def test_other_places_are_other_sources() -> None:
    texts = ["http://h", "https://h", "http://h:81", "http://h/a", "http://h/A", "http://127.0.0.2"]

    assert len({SecretUrl.parse(text).identity for text in texts}) == len(texts)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("http://s3cret:70000", "a port is a number up to 65535"),
        ("http://s3cret:0", "http://host:port"),
        ("http://[s3cret", "can't be read"),
        ("http://ann:12/s3cret@host", "can be read in two ways"),
        ("http://s3cret#b@host", "can be read in two ways"),
        ("ftp://ann:s3cret@host", "must begin with http"),
        ("ann:s3cret@host", "must begin with http"),
        ("http://ann:s3 cret@host", "percent-encode"),
        ("http://", "can't be read"),
    ],
)
def test_what_can_not_be_used_is_said_without_a_part_of_it(text: str, told: str) -> None:
    with pytest.raises(UrlError, match=told) as refused:
        SecretUrl.parse(text)

    assert "s3" not in str(refused.value)
