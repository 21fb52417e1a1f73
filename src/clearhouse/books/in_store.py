"""What the parts of the books have in common: each reads its tables in one SQL store."""

from typing import Any

import sqlalchemy as sa


class InStore:
    """A part of the books in one SQL store."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine

    def rows(self, statement: sa.Select[Any]) -> list[Any]:
        """What the store answers."""
        with self.engine.connect() as connection:
            return list(connection.execute(statement))

    def values(self, statement: sa.Select[Any]) -> list[Any]:
        """The first column of what it answers."""
        return [row[0] for row in self.rows(statement)]
