"""What landing asks of an S3 store, by its wire format, and what it makes of the answers."""

import datetime as dt
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from clearhouse.core.contract import Contract
from clearhouse.core.errors import ServerError, SettingsError, StoreError
from clearhouse.core.resources import resource
from clearhouse.core.window import Window
from clearhouse.landing import Landing
from clearhouse.landing.folder import ObjectFolder
from clearhouse.landing.spine import LandingReader
from clearhouse.store.database import open_database
from clearhouse.store.landing_totals import LandingTotals

DAY = dt.date(2024, 3, 9)
URL = "s3://bucket/some/prefix"
REQUEST = {"path": "/stream/bnpl"}
FIRST = b'{"n": 1}\n{"n": 2}\n'
CORRECTED = b'{"n": 1}\n{"n": 3}\n'
SECRET = "not-to-be-told"


@dataclass
class Store:
    """As much of S3 as landing uses.

    Attributes:
        objects: by path.
        asked: method and path of each request but listings.
        sent: headers of each put.
        refusal: status and code that are answered to everything.
    """

    objects: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    sent: list[dict[str, str]] = field(default_factory=list)
    refusal: tuple[int, str] | None = None

    def listing(self, bucket: str, prefix: str) -> bytes:
        entries = "".join(
            f"<Contents><Key>{key.split('/', 2)[2]}</Key><Size>{len(body)}</Size>"
            f"<LastModified>2024-03-09T12:00:00.000Z</LastModified><ETag>{e_tag(body)}</ETag>"
            "</Contents>"
            for key, body in sorted(self.objects.items())
            if key.startswith(f"{bucket.rstrip('/')}/{prefix}")
        )
        return f"<ListBucketResult>{entries}</ListBucketResult>".encode()


def e_tag(body: bytes) -> str:
    return f'"{md5(body, usedforsecurity=False).hexdigest()}"'


def handler_of(store: Store) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self, status: int, body: bytes = b"", tagged: bytes = b"") -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", e_tag(tagged or body))
            self.send_header("Last-Modified", "Sat, 09 Mar 2024 12:00:00 GMT")
            self.end_headers()
            self.wfile.write(body)

        def refuses(self) -> bool:
            if store.refusal:
                status, code = store.refusal
                self.answer(
                    status, f"<Error><Code>{code}</Code><Key>{SECRET}</Key></Error>".encode()
                )
            return store.refusal is not None

        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.refuses():
                return None
            key = unquote(urlsplit(self.path).path)
            store.asked.append(f"PUT {key}")
            store.sent.append({name.lower(): text for name, text in self.headers.items()})
            if self.headers.get("If-None-Match") == "*" and key in store.objects:
                return self.answer(412)
            store.objects[key] = body
            return self.answer(200, tagged=body)

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            if self.refuses():
                return None
            if url.query:
                prefix = parse_qs(url.query)["prefix"][0]
                return self.answer(200, store.listing(url.path, prefix))
            store.asked.append(f"GET {unquote(url.path)}")
            body = store.objects.get(unquote(url.path))
            return self.answer(404) if body is None else self.answer(200, body)

        def do_HEAD(self) -> None:
            body = store.objects[unquote(urlsplit(self.path).path)]
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", e_tag(body))
            self.send_header("Last-Modified", "Sat, 09 Mar 2024 12:00:00 GMT")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    return Handler


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Store]:
    """A store at AWS_ENDPOINT_URL, and no files of AWS on this machine."""
    kept = Store()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(kept))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    for name, text in {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": "us-east-1",
        "HOME": str(tmp_path),
    }.items():
        monkeypatch.setenv(name, text)
    yield kept
    server.shutdown()
    thread.join()
    server.server_close()


def test_landing_in_s3(store: Store) -> None:
    landing = Landing.from_url(URL)
    first = landing.put("simtom", DAY, FIRST, REQUEST)
    assert not landing.put("simtom", DAY, FIRST, REQUEST).created
    second = landing.put("simtom", DAY, CORRECTED, REQUEST)
    assert landing.days("simtom", Window.day(DAY)) == {DAY: [first, second]}
    assert landing.read(second) == CORRECTED
    assert f"/bucket/some/prefix/{first.key}" in store.objects
    assert not ObjectFolder.from_url(URL).create(first.key, b"other")
    assert landing.verify(first)


def test_what_is_put_is_encrypted_there_and_checked_by_its_sha_256(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    Landing.from_url(URL).put("simtom", DAY, FIRST, REQUEST)
    monkeypatch.setenv("AWS_SSE_KMS_KEY_ID", "arn:aws:kms:eu-west-1:1:key/2")
    Landing.from_url(URL).put("simtom", DAY, CORRECTED, REQUEST)

    assert all(headers["x-amz-checksum-sha256"] for headers in store.sent)
    encryption = [headers["x-amz-server-side-encryption"] for headers in store.sent]
    assert encryption == ["AES256", "AES256", "aws:kms", "aws:kms"]
    keys = [headers.get("x-amz-server-side-encryption-aws-kms-key-id") for headers in store.sent]
    assert keys == [None, None, *["arn:aws:kms:eu-west-1:1:key/2"] * 2]


def test_a_check_reads_no_object_that_the_store_lists_as_it_was_written(store: Store) -> None:
    landing = Landing.from_url(URL)
    put = landing.put("simtom", DAY, FIRST, REQUEST)
    store.asked.clear()

    (landed,) = landing.objects("simtom", DAY)
    assert landing.verify(landed)
    assert not [each for each in store.asked if each.endswith(put.key)]

    path = f"/bucket/some/prefix/{put.key}"
    store.objects[path] = store.objects[path][::-1]
    (landed,) = landing.objects("simtom", DAY)
    assert not landing.verify(landed)


def test_a_manifest_that_names_what_was_put_in_an_objects_place_does_not_speak_for_it(
    store: Store, tmp_path: Path
) -> None:
    landing = Landing.from_url(URL)
    database = open_database(f"sqlite:///{tmp_path / 'clearhouse.db'}")
    contract = Contract.load(resource("contracts") / "bnpl" / "transactions.yaml")

    def counted() -> object:
        return LandingReader(
            landing, contract, ("simtom",), LandingTotals(database, "code")
        ).counted([DAY])

    path = f"/bucket/some/prefix/{landing.put('simtom', DAY, FIRST, REQUEST).key}"
    assert counted() == counted()

    manifest = path.replace(".ndjson.zst", ".manifest.json")
    whole, other = store.objects[path], store.objects[path][::-1]
    store.objects[path] = other
    named = (e_tag(body).strip('"').encode() for body in (whole, other))
    store.objects[manifest] = store.objects[manifest].replace(*named)

    (landed,) = landing.objects("simtom", DAY)
    assert landed.is_as_written
    with pytest.raises(StoreError, match="is not as it was landed"):
        counted()
    database.dispose()


def test_an_object_that_was_begun_is_known_by_what_the_store_lists(store: Store) -> None:
    landing = Landing.from_url(URL)
    put = landing.put("simtom", DAY, FIRST, REQUEST)
    manifest = put.key.replace(".ndjson.zst", ".manifest.json")
    del store.objects[f"/bucket/some/prefix/{manifest}"]

    assert landing.put("simtom", DAY, FIRST, REQUEST) == put
    (landed,) = landing.objects("simtom", DAY)
    assert landed.is_as_written


@pytest.mark.parametrize(
    ("status", "code", "told"),
    [
        (404, "NoSuchBucket", "the bucket does not exist"),
        (403, "SignatureDoesNotMatch", "the secret key is wrong"),
        (403, "InvalidAccessKeyId", "the access key is not known there"),
        (403, "AccessDenied", "the keys have no right to do this"),
        (400, "Strange", "it answered Strange"),
    ],
)
def test_a_store_that_refuses_is_not_an_empty_one(
    store: Store, status: int, code: str, told: str
) -> None:
    landing = Landing.from_url(URL)
    landed = landing.put("simtom", DAY, FIRST, REQUEST)
    store.refusal = (status, code)
    for attempt in (
        lambda: landing.objects("simtom", DAY),
        lambda: landing.read(landed),
        lambda: landing.put("simtom", DAY, CORRECTED, REQUEST),
    ):
        with pytest.raises(ServerError, match=told) as caught:
            attempt()
        assert caught.value.code == "landing_unavailable"
        assert SECRET not in caught.value.message
        assert "\n" not in caught.value.message


@pytest.mark.parametrize("endpoint", [f"http://me:{SECRET}@127.0.0.1:99999", f"see {SECRET}"])
def test_an_endpoint_that_is_no_url_is_refused_without_showing_it(
    store: Store, monkeypatch: pytest.MonkeyPatch, endpoint: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    with pytest.raises(SettingsError, match="AWS_ENDPOINT_URL is set to") as caught:
        Landing.from_url(URL)
    assert SECRET not in caught.value.message


def test_credentials_of_a_profile_that_is_not_there_are_asked_for_in_a_sentence(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_PROFILE", "another")
    with pytest.raises(SettingsError, match=r"AWS_PROFILE|clearhouse\[s3\]"):
        Landing.from_url(URL)
