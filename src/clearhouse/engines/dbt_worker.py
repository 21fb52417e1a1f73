"""dbt in a process of its own, which imports it and reads the project while other work goes on."""

import gc
import sys
from contextlib import suppress
from typing import Any

from clearhouse.core.collecting import collect_rarely
from clearhouse.core.deferred import leave_out
from clearhouse.core.environment import take_no_foreign_settings
from clearhouse.core.worker_process import Requests, WorkerEndedError, WorkerProcess
from clearhouse.engines.dbt_messages import DbtError, DbtPlace
from clearhouse.engines.dbt_runner import DbtRunner, Log, preload

_worker = WorkerProcess("clearhouse.engines.dbt_worker")


def start() -> None:
    """Start the worker, unless it runs or this process has imported dbt itself."""
    if "dbt.cli.main" not in sys.modules:
        _worker.start()


def is_running() -> bool:
    """Whether there is a worker to ask."""
    return _worker.is_running


def prepare(place: DbtPlace) -> None:
    """Let the worker parse a project as soon as it has imported dbt; nothing is waited for.

    That it has ended is told by the call that needs it.
    """
    with suppress(WorkerEndedError), _worker.exchange() as worker:
        worker.send((place, "prepare", ()))


def ask(place: DbtPlace, log: Log, method: str, arguments: tuple[object, ...]) -> Any:
    """What a method of `DbtRunner` returns, or raises.

    Raises:
        DbtError: as the method does, or the worker has ended.
    """
    try:
        with _worker.exchange() as worker:
            worker.send((place, method, arguments))
            while (message := worker.receive())[0] == "log":
                log(*message[1])
    except WorkerEndedError as error:
        raise DbtError("The process that runs dbt has ended: run this again.") from error
    kind, answer = message
    if kind == "error":
        raise DbtError(*answer)
    return answer


def main() -> None:
    """Answer requests for as long as the process lives that started this one."""
    requests = Requests()
    take_no_foreign_settings()
    leave_out("pandas")  # as in the process of a command
    gc.disable()  # what is imported stays: looking through it again and again takes a tenth
    preload()
    gc.freeze()
    collect_rarely()
    gc.enable()
    requests.begin()

    def log(*event: str) -> None:
        requests.send(("log", event))

    while True:
        place, method, arguments = requests.receive()
        runner = DbtRunner(place, log if method != "prepare" else _unsaid)
        try:
            answer = getattr(runner, method)(*arguments)
        except DbtError as error:
            requests.send(("error", (error.message, error.result)))
        else:
            if method != "prepare":
                requests.send(("answer", answer))


def _unsaid(*_: str) -> None:
    """Of parsing ahead nothing is told."""


if __name__ == "__main__":
    main()
