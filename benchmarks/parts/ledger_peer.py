"""The plain way to serve lists of lines: FastAPI, mapped objects, and pages by OFFSET and LIMIT.

What most guides show: an object a row, a Pydantic model of it in the answer, `page` and `limit` in
the query. The store, its indexes and the columns are those of the service. It asks for no key.
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Query
from pydantic import BaseModel, ConfigDict, create_model
from sqlalchemy import create_engine, desc, select
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker

from clearhouse.gl.service import tables

_TYPES = {"DATE": date, "DATETIME": datetime, "TEXT": str}


class Base(DeclarativeBase):
    """Of mapped objects."""


class Line(Base):
    """A line."""

    __table__ = tables.line


def _model() -> type[BaseModel]:
    fields: dict[str, Any] = {}
    for column in tables.line.columns:
        kind = _TYPES.get(str(column.type), int)
        fields[column.name] = (kind | None if column.nullable else kind, ...)
    return create_model("LineOut", __config__=ConfigDict(from_attributes=True), **fields)


LineOut = _model()


def create_app(store: str) -> FastAPI:
    """The application on a store of the service."""
    app = FastAPI()
    sessions = sessionmaker(create_engine(f"sqlite:///{store}"))

    def session() -> Iterator[Session]:
        with sessions() as opened:
            yield opened

    @app.get("/health/ready")
    def ready() -> dict[str, str]:
        return {"status": "ready"}

    @app.get("/lines", response_model=list[LineOut])
    def lines(
        session: Annotated[Session, Depends(session)],
        account_code: str | None = None,
        well_id: str | None = None,
        sort: str = "gl_entry_id",
        page: Annotated[int, Query(ge=1)] = 1,
        limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    ) -> Any:
        wanted = select(Line)
        if account_code is not None:
            wanted = wanted.where(Line.account_code == account_code)
        if well_id is not None:
            wanted = wanted.where(Line.well_id == well_id)
        name = sort.removeprefix("-")
        keys = [getattr(Line, key) for key in dict.fromkeys((name, "gl_entry_id"))]
        order = [desc(key) for key in keys] if sort.startswith("-") else keys
        return session.scalars(
            wanted.order_by(*order).offset((page - 1) * limit).limit(limit)
        ).all()

    return app
