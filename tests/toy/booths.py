"""The booths: each sells twenty tickets a day, the same ones whenever it is asked for the day.

Kinds of faults of a day: `few` (two tickets), `negative` (a price below nothing), `unreadable` (a
price that is no number), `garbled` (ten more tickets, with such prices), `restated` (a ticket of
this day and one of the day before have another price than told before), `north_closed` and
`south_closed` (that booth does not answer), `early` (the tickets before noon, so far).
"""

import datetime as dt
import json
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from clearhouse.core.errors import SourceError
from clearhouse.pipeline.domain import Batch, Failure, Faults, Source
from clearhouse.settings import Settings

FIRST_NUMBERS = {"north": 0, "south": 50, "kitchen": 0}
A_DAY = dt.timedelta(days=1)


@dataclass
class Booth:
    """A booth that can be asked (`pipeline.domain.Followable`)."""

    name: str
    faults: Faults
    identity: str = "toy"
    notice: str = ""
    after: Mapping[dt.date, int] = field(default_factory=dict)

    def requests(self, days: Sequence[dt.date]) -> Mapping[dt.date, Mapping[str, Any]]:
        asked = {day: {"day": str(day), "as": self._kinds(day)} for day in days}
        return {day: {**asked[day], "after": self.after.get(day, 0)} for day in days}

    def following(self, landed: Mapping[dt.date, Sequence[bytes]]) -> "Booth":
        numbers = {day: [json.loads(line)["number"] for line in landed[day]] for day in landed}
        return replace(self, after={day: max(numbers[day], default=0) for day in landed})

    async def pull(self, days: Sequence[dt.date]) -> AsyncGenerator[Batch | Failure, None]:
        for day in days:
            if f"{self.name}_closed" in self.faults.get(day, ()):
                yield Failure(day, SourceError(f"The booth {self.name} is closed on {day}."))
            else:
                yield Batch(day, self._answer(day), self.requests([day])[day])

    def _kinds(self, day: dt.date) -> list[str]:
        return [kind for kind in self.faults.get(day, ()) if not kind.endswith("_closed")]

    def _answer(self, day: dt.date) -> bytes:
        kinds = self._kinds(day)
        sold = range(2 if "few" in kinds else 8 if "early" in kinds else 20)
        after = self.after.get(day, 0)
        tickets = [self._ticket(day, n) for n in sold if self._number(day, n) > after]
        if "negative" in kinds:
            tickets[0] = self._ticket(day, 0, "-1.00")
        if "unreadable" in kinds:
            tickets[1] = self._ticket(day, 1, '"free"')
        if "garbled" in kinds:
            tickets += [self._ticket(day, n, '"free"') for n in range(20, 30)]
        if "restated" in kinds:
            tickets[2:3] = [self._ticket(day - A_DAY, 3, "99.00"), self._ticket(day, 2, "98.00")]
        return f'{{"booth": "{self.name}", "tickets": [{", ".join(tickets)}]}}'.encode()

    def _number(self, day: dt.date, n: int) -> int:
        return day.toordinal() * 100 + FIRST_NUMBERS[self.name] + n

    def _ticket(self, day: dt.date, n: int, price: str = "") -> str:
        """A ticket as JSON, on two lines."""
        number = self._number(day, n)
        price = price or f"{2 + number % 7}.{number % 100:02}"
        sold_at = f"{day}T{8 + n // 2:02}:00:00"
        return (
            f'{{"number": {number}, "booth": "{self.name}",\n'
            f' "price": {price}, "sold_at": "{sold_at}"}}'
        )


def booth(name: str) -> Source:
    """A booth as a source."""

    @contextmanager
    def connect(_settings: Settings, faults: Faults) -> Iterator[Booth]:
        yield Booth(name, faults)

    return Source(name, connect, lambda _settings: f"the booth {name} is there")
