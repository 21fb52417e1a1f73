"""Measurements as tables for a person and as JSON for a program."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine, now, versions
from benchmarks.rounds import Measured
from benchmarks.summary import Figure, Promise, Summary

_WIDTH = 150  # of what is not a terminal: a table that is wrapped can't be pasted into a page


def show(found: Summary, console: Console | None = None) -> None:
    """Print the tables, in a form that Markdown reads too."""
    tables = [_figures_table(found.figures)]
    for title, heading, numbers in (
        ("times the seconds of Clearhouse", "ratio", found.ratios),
        ("of a run's seconds", "%", found.shares),
        ("of a measurement", "seconds", found.waits),
    ):
        if numbers:
            tables.append(_numbers_table(title, heading, numbers))
    if found.promises:
        tables.append(promises_table(found.promises))
    print_tables(*tables, console=console)


def print_tables(*tables: Table, console: Console | None = None) -> None:
    """Print tables, whole where they are not printed to a terminal."""
    out = console or Console()
    if not out.is_terminal:
        out.width = _WIDTH
    for table in tables:
        out.print(table)


def keep(path: Path, found: Summary, measured: Sequence[Measured]) -> None:
    """Write everything that was measured, and what follows from it."""
    figures = [
        {**asdict(f), "median_seconds": f.median_seconds, "name": f.name.strip()}
        for f in found.figures
    ]
    of_all = {
        "figures": figures,
        "ratios": found.ratios,
        "shares": found.shares,
        "waits": found.waits,
    }
    _write(path, _measurements(measured, found.promises) | of_all)


def keep_measurements(
    path: Path, measured: Sequence[Measured], promises: Sequence[Promise]
) -> None:
    """Write measurements, and whether what was promised of them is kept."""
    _write(path, _measurements(measured, promises))


def _measurements(measured: Sequence[Measured], promises: Sequence[Promise]) -> dict[str, object]:
    return {
        "taken_at": now(),
        "machine": machine(),
        "versions": versions(),
        "promises": [{**asdict(p), "is_kept": p.is_kept} for p in promises],
        "measurements": [asdict(m) for m in measured],
    }


def _write(path: Path, document: dict[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n")


def _figures_table(figures: Sequence[Figure]) -> Table:
    table = Table(box=box.MARKDOWN)
    table.add_column("part", no_wrap=True)
    for heading in (
        "days", "records", "seconds", "min to max", "records/s", "MB/s", "CPU s", "peak MB",
        "calibration s",
    ):  # fmt: skip
        table.add_column(heading, justify="right", no_wrap=True)
    for f in figures:
        table.add_row(
            f.name,
            str(f.days),
            f"{f.records:,}",
            f"{f.median_seconds:.2f}",
            f"{min(f.seconds):.2f} to {max(f.seconds):.2f}",
            f"{f.records_per_second:,.0f}",
            f"{f.megabytes_per_second:,.0f}",
            "" if f.cpu_seconds is None else f"{f.cpu_seconds:.1f}",
            "" if f.peak_rss_bytes is None else f"{f.peak_rss_bytes / 1e6:,.0f}",
            f"{f.calibration_seconds:.2f}",
        )
    return table


def _numbers_table(title: str, heading: str, numbers: dict[str, float]) -> Table:
    table = Table(title, box=box.MARKDOWN)
    table.add_column(heading, justify="right")
    for name, number in numbers.items():
        table.add_row(name, f"{number:.2f}" if number >= 0.1 else f"{number:.2g}")
    return table


def promises_table(promises: Sequence[Promise]) -> Table:
    """What was promised, and whether it is kept."""
    table = Table("promise", box=box.MARKDOWN)
    for heading in ("bound", "found", "kept"):
        table.add_column(heading, justify="right")
    for p in promises:
        bound = f"{'at most' if p.is_at_most else 'at least'} {p.bound:,.10g}"
        found = f"{p.value:,.0f}" if p.value >= 1_000 else f"{p.value:.2f}"
        table.add_row(p.name, bound, found, "yes" if p.is_kept else "NO")
    return table
