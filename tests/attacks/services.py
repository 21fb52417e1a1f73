"""What the services of a domain hold of what came to them: payments have such."""

import datetime as dt
import sqlite3
from contextlib import closing

from attacks.attack import NotThereError, Told, attack, on
from attacks.groups import SERVICES
from attacks.homes import Home
from attacks.recipes import CLOSED, RELEASED, SEALED

_HOP = "events → store"


def _edit(home: Home, day: dt.date, change: str) -> str:
    """Change one delivery of a day; the id of its event."""
    path = home.path / "payments.db"
    if not path.exists():
        raise NotThereError("the domain has no services that hold anything")
    with closing(sqlite3.connect(path, isolation_level=None)) as store:
        ((event_id,),) = store.execute(
            """SELECT event_id FROM delivery WHERE book_date = ? AND outcome = 'recorded'
            ORDER BY webhook_position LIMIT 1""",
            [str(day)],
        )
        assert store.execute(f"{change} WHERE event_id = ?", [event_id]).rowcount >= 1
    return str(event_id)


@attack(SERVICES, "a delivery taken out of the store of the services")
def _deleted(home: Home) -> Told:
    event_id = _edit(home, CLOSED, "DELETE FROM delivery")
    return [on(_HOP, CLOSED, "−1 record", event_id)]


@attack(SERVICES, "a delivery with another amount")
def _with_more(home: Home) -> Told:
    event_id = _edit(home, SEALED, "UPDATE delivery SET amount_minor = amount_minor + 1")
    return [on(_HOP, SEALED, event_id, " became ")]


@attack(SERVICES, "a delivery with an amount that is no number")
def _with_nonsense(home: Home) -> Told:
    _edit(home, RELEASED, "UPDATE delivery SET amount_minor = 'lots'")
    return [on(_HOP, RELEASED, "can't be read", "lots")]
