"""Questions to parts: side by side, each for a limited time, and no error's text is repeated."""

import threading

from clearhouse.core.checks import Answer, Check, ask_all
from clearhouse.core.errors import ServerError


def fails(error: Exception) -> Answer:
    raise error


def test_they_are_asked_side_by_side_and_told_in_their_order() -> None:
    both_asked = threading.Barrier(2, timeout=30)

    def ask(detail: str) -> Answer:
        both_asked.wait()
        return Answer(detail, "1.2", lag=3)

    found = list(ask_all([Check(name, lambda n=name: ask(n), 60) for name in ("a", "b")]))

    assert [(each.check, each.ok, each.detail, each.version, each.lag) for each in found] == [
        ("a", True, "a", "1.2", 3),
        ("b", True, "b", "1.2", 3),
    ]


def test_one_that_does_not_answer_in_its_time_has_failed_and_keeps_no_other_waiting() -> None:
    never = threading.Event()
    hanging = Check("silent", lambda: Answer(str(never.wait(60))), 0.05, "see its runbook")

    silent, quick = ask_all([hanging, Check("quick", lambda: Answer("here"), 60)])

    assert (silent.ok, silent.code, silent.next_step) == (False, "no_answer", "see its runbook")
    assert silent.detail == "It did not answer within 0.05 s."
    assert quick.ok
    never.set()


def test_our_errors_are_told_whole_and_those_of_libraries_by_their_type_alone() -> None:
    ours, theirs = ask_all(
        [
            Check("ours", lambda: fails(ServerError("Start it.", "down"))),
            Check("theirs", lambda: fails(ValueError("password s3cret is wrong"))),
        ]
    )

    assert (ours.ok, ours.detail, ours.code) == (False, "Start it.", "down")
    assert (theirs.ok, theirs.detail, theirs.code) == (False, "It failed: ValueError.", "failed")
