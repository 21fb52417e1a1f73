"""From which source fields each column of a model descends, read from dbt's compiled SQL.

Two ways count. A column descends from a field by its *value* (also through a window's partition or
order), or by a *choice*: the field decides which rows there are (WHERE, JOIN, GROUP BY, ...).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import exp, parse_one
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, traverse_scope

CHOOSING = ("where", "joins", "group", "having", "qualify", "order", "distinct")


@dataclass
class Descent:
    """Source fields (`schema.table.column`) of each column's value, and of the choice of rows."""

    values: dict[str, set[str]] = field(default_factory=dict)
    choice: set[str] = field(default_factory=set)


def descent(
    model: str, queries: Mapping[str, str], sources: Mapping[str, Mapping[str, str]]
) -> Descent:
    """What the columns of `model` descend from.

    Args:
        model: name of the model.
        queries: the compiled SQL of each model, by its name.
        sources: the columns of each table that no query makes, by `schema.table`.
    """
    known: dict[str, Descent] = {}
    for name in _in_order(model, queries):
        known[name] = _of_query(queries[name], known, sources)
    return known[model]


def _in_order(model: str, queries: Mapping[str, str]) -> Iterator[str]:
    """The models that `model` stands on, and then itself; each after what it reads."""
    done: set[str] = set()

    def visit(name: str) -> Iterator[str]:
        if name in done:
            return
        done.add(name)
        for table in parse_one(queries[name], read="duckdb").find_all(exp.Table):
            if table.name in queries:
                yield from visit(table.name)
        yield name

    return visit(model)


def _of_query(
    sql: str, known: Mapping[str, Descent], sources: Mapping[str, Mapping[str, str]]
) -> Descent:
    tree = parse_one(sql, read="duckdb")
    schema: dict[str, dict[str, dict[str, str]]] = {}
    for table in tree.find_all(exp.Table):
        table.set("catalog", None)
        if table.name in known:
            columns = dict.fromkeys(known[table.name].values, "unknown")
            schema.setdefault(table.db, {})[table.name] = columns
        elif table.db:
            schema.setdefault(table.db, {})[table.name] = dict(sources[f"{table.db}.{table.name}"])
    tree = qualify(tree, schema=schema, dialect="duckdb", quote_identifiers=False)
    found: dict[int, Descent] = {}
    last = Descent()
    for scope in traverse_scope(tree):
        last = _of_scope(scope, found, known)
        found[id(scope)] = last
    return last


def _of_scope(scope: Scope, found: dict[int, Descent], known: Mapping[str, Descent]) -> Descent:
    def of_source(alias: str) -> Descent | str:
        at = scope
        while alias not in at.sources and at.parent:  # a subquery looks at the query around it
            at = at.parent
        source = at.sources[alias]
        if isinstance(source, Scope):
            return found[id(source)]
        return known.get(source.name, f"{source.db}.{source.name}")

    def fields(node: exp.Expression) -> set[str]:
        all_fields: set[str] = set()
        for column in node.walk(prune=lambda n: isinstance(n, exp.Query)):
            if not isinstance(column, exp.Column):
                continue
            source = of_source(column.table)
            if isinstance(source, str):
                all_fields.add(f"{source}.{column.name}")
            else:
                all_fields |= source.values[column.name]
        return all_fields

    if isinstance(scope.expression, exp.SetOperation):
        return _of_set_operation([found[id(each)] for each in scope.set_operation_scopes])
    if not isinstance(scope.expression, exp.Select):
        raise NotImplementedError(f"descent through {type(scope.expression).__name__}")
    answer = Descent()
    for alias in scope.selected_sources:
        source = of_source(alias)
        answer.choice |= source.choice if isinstance(source, Descent) else set()
    for below in scope.subquery_scopes:
        answer.choice |= found[id(below)].choice.union(*found[id(below)].values.values())
    for part in CHOOSING:
        parts = scope.expression.args.get(part) or []
        for node in parts if isinstance(parts, list) else [parts]:
            answer.choice |= fields(node)
    framed: set[str] = set()
    for window in scope.expression.args.get("windows") or []:
        framed |= fields(window)
    for projection in scope.expression.selects:
        value = fields(projection)
        if projection.find(exp.Window):
            value |= framed
        answer.values[projection.alias_or_name] = value
    return answer


def _of_set_operation(sides: Sequence[Descent]) -> Descent:
    """Columns are named by the first side, and hold what stands at their place in each."""
    columns = zip(*(side.values.values() for side in sides), strict=True)
    values = {name: set().union(*of) for name, of in zip(sides[0].values, columns, strict=True)}
    return Descent(values, set().union(*(side.choice for side in sides)))
