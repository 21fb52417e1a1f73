"""The health pages of servers."""

import http.client

_ANSWER_S = 5


def answers(port: int, path: str) -> str | None:
    """Why a server on 127.0.0.1 does not answer GET with 200. None: it does."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_ANSWER_S)
    try:
        connection.request("GET", path)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return str(error) or type(error).__name__
    finally:
        connection.close()
    return None if status == http.client.OK else f"it answers {status}"
