"""`books`, `close` and `trace`: what the books say, measured again."""

import json
from typing import Annotated, Any

import typer
from rich.panel import Panel

from clearhouse.bnpl.closing import close_day
from clearhouse.bnpl.context import DOMAIN
from clearhouse.bnpl.trace import Trace, trace
from clearhouse.cli import report as reports
from clearhouse.cli.app import leave, out, settings
from clearhouse.cli.options import JsonFlag, domain_of
from clearhouse.core.books.audit import audit
from clearhouse.core.books.certificate import Certificates
from clearhouse.core.books.model import Status
from clearhouse.core.runner import ExitCode
from clearhouse.core.window import Window, parse_day
from clearhouse.world import open_bnpl


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("books")(books)
    app.command("close")(close)
    app.command("trace")(trace_command)


def books(
    domain: Annotated[str, typer.Option(help="Whose books.")] = DOMAIN,
    first: Annotated[str | None, typer.Option("--from", help="First book date.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last book date.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Every entry, measured again in the stores; what does not hold is named, record by record."""
    domain_of(domain)
    bnpl = open_bnpl(settings())
    known = [e.key.book_date for e in bnpl.books.current(DOMAIN)]
    days = None
    if known and (first or last):
        begin = parse_day(first) if first else min(known)
        end = parse_day(last) if last else max(begin, *known)
        days = list(Window(begin, end).days())
    audited = audit(bnpl.books, DOMAIN, list(bnpl.hops.values()), days)
    broken = Certificates(bnpl.books.engine).verify_chain(DOMAIN)
    if as_json:
        print(json.dumps(reports.entries_as_data(audited.entries)))
        for finding in audited.findings:
            for line in reports.finding_lines(finding):
                typer.echo(line, err=True)
    elif not audited.entries:
        out.print("The books are empty: run `clearhouse demo` or `clearhouse run` first.")
    else:
        reports.show_entries(audited.entries)
        reports.show_trial_balance(audited)
        reports.show_findings(audited)
    for line in broken:
        out.print(f"[red]certificate chain, {line}[/]")
    if audited.findings or broken:
        leave(ExitCode.UNBALANCED)
    held = any(e.status is Status.HELD for e in audited.entries)
    leave(ExitCode.HELD if held else ExitCode.DONE)


def close(
    domain: Annotated[str, typer.Argument(help="bnpl")],
    day: Annotated[str, typer.Option("--date", help="The book date, YYYY-MM-DD.")],
    as_json: JsonFlag = False,
) -> None:
    """Seal a day: its totals as a certificate, chained to the day before."""
    domain_of(domain)
    config = settings()
    closed = close_day(open_bnpl(config), parse_day(day), reports.duckdb_command())
    folder = config.clearhouse_home / "certificates" / domain
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{day}.json"
    path.write_text(closed.certificate.body, encoding="utf-8")
    if as_json:
        commands = [{"figure": figure, "command": command} for figure, command in closed.commands]
        answer: dict[str, Any] = {
            "seal": closed.certificate.seal,
            "certificate": closed.certificate.content,
            "commands": commands,
        }
        print(json.dumps(answer))
        return
    out.print(f"{domain} {day} is closed. Its certificate, whose SHA-256 is the seal:")
    print(f"{closed.certificate.seal}  {reports.near(path)}")
    out.print("\nThe same figures without Clearhouse:")
    for figure, command in closed.commands:
        out.print(f"\n[dim]# {figure}[/]")
        print(command)


def trace_command(
    wanted: Annotated[str, typer.Argument(metavar="ID", help="Transaction id, record id or key.")],
    as_json: JsonFlag = False,
) -> None:
    """One record on one screen: raw line, bronze, silver, gold, and what readers see of it."""
    found = trace(open_bnpl(settings()), wanted)
    if as_json:
        print(json.dumps([vars(t) for t in found], default=str))
        return
    for one in found:
        _show(one)


def _show(one: Trace) -> None:
    title = f"record {one.record_id}"
    lines = [f"[bold]raw[/]     {one.raw_place}", f"        {_escaped(one.raw or '')}"]
    if one.quarantined:
        lines += [
            f"[red]quarantine[/]  {v.field or 'record'}: {v.code}: {_escaped(v.detail)}"
            for v in one.quarantined.violations
        ]
    for name, row in (("bronze", one.bronze), ("silver", one.silver)):
        if row:
            lines.append(f"[bold]{name}[/]  {_brief(row)}")
    for row in one.gold:
        published = "published" if row["_is_published"] else "not published"
        lines.append(f"[bold]gold[/]    {_brief(row)} ({published})")
    if one.bronze:
        seen = "visible" if one.is_visible else f"not visible {one.hidden_because or ''}"
        lines.append(f"[bold]readers[/] {seen}")
        lines += [f"[dim]{e['hop']:<18} {e['status']:<10} {e['entry_id']}[/]" for e in one.entries]
    out.print(Panel("\n".join(lines), title=title, title_align="left"))


def _brief(row: dict[str, Any]) -> str:
    told = {k: row[k] for k in ("_book_date", "amount", "currency", "customer_id") if k in row}
    if row.get("_is_superseded"):
        told["superseded"] = True
    return " ".join(f"{k.removeprefix('_')}={v}" for k, v in told.items())


def _escaped(text: str) -> str:
    return text.replace("[", r"\[")
