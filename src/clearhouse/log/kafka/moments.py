"""Times as Kafka has them: whole milliseconds since 1970."""

import datetime as dt

_BEGIN = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MILLISECOND = dt.timedelta(milliseconds=1)


def milliseconds_of(moment: dt.datetime) -> int:
    """A moment (aware) as Kafka has it; what is less than a millisecond is dropped."""
    return (moment - _BEGIN) // _MILLISECOND


def milliseconds_of_day(day: dt.date) -> int:
    """When a UTC day begins."""
    return milliseconds_of(dt.datetime.combine(day, dt.time(), dt.UTC))


def moment_of(milliseconds: int) -> dt.datetime:
    """The moment, in UTC."""
    return _BEGIN + milliseconds * _MILLISECOND
