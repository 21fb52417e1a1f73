"""A service whose port another program has says so in one sentence, and ends."""

import socket
from pathlib import Path

import pytest
from cli_session import in_a_process


@pytest.mark.parametrize(
    "service",
    [
        ("serve", "gateway", "--sandbox"),
        ("serve", "normalizer"),
        ("serve", "worker"),
        ("serve", "inference"),
        ("gl", "serve"),
        ("exporter",),
    ],
    ids=" ".join,
)
def test_a_port_in_use_is_said_and_ends_the_service(
    tmp_path: Path, service: tuple[str, ...]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        answer = in_a_process(tmp_path, *service, "--host", "127.0.0.1", "--port", port)
    assert answer.returncode == 2
    sentence = f"Nothing can listen at 127.0.0.1:{port}: Address already in use; choose another"
    assert sentence in " ".join(answer.stderr.split())
    assert "Traceback" not in answer.stderr
