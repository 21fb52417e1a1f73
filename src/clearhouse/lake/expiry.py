"""What no one needs of a bronze table any more: old snapshots, and the files that only they name.

Each commit leaves the snapshot before it, and the files whose rows it replaced. Without this, a day
that is followed would be kept whole for every minute of it, and commits would slow down with their
number. A clean-up that was cut short leaves files, which the next one finds.
"""

import datetime as dt
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyiceberg.table import Table
    from pyiceberg.table.snapshots import Snapshot

ENTRIES = "clearhouse.entries"
"""Of a snapshot, the entry id of each day that it wrote; of a table, of what has expired of it."""

_SNAPSHOT_KEPT = dt.timedelta(hours=1)
_FILE_KEPT = dt.timedelta(days=1)
"""Longer than anyone reads who has planned files: a run, or an audit beside it."""
_AT_ONCE = 100
"""So many snapshots are worth it: the manifests of all that is kept are read."""
_FILE = "file://"


def entries_of(table: "Table") -> dict[dt.date, str]:
    """The entry id that was last written for each day, as the commits themselves say."""
    return _entries(json.loads(table.properties.get(ENTRIES, "{}")), _in_order(table))


def expire(table: "Table") -> None:
    """Remove the snapshots of more than an hour ago, when there are many, and delete their files.

    The entries that they carry go into the table's properties, in the same commit.
    """
    from pyiceberg.table.update.snapshot import ExpireSnapshots

    now_in_force = table.current_snapshot()
    before = (time.time() - _SNAPSHOT_KEPT.total_seconds()) * 1_000
    old = [s for s in _in_order(table) if s.timestamp_ms < before and s != now_in_force]
    if len(old) < _AT_ONCE:
        return
    entries = _entries(json.loads(table.properties.get(ENTRIES, "{}")), old)
    with table.transaction() as transaction:
        transaction.set_properties({ENTRIES: json.dumps({str(d): e for d, e in entries.items()})})
        ExpireSnapshots(transaction).by_ids([each.snapshot_id for each in old]).commit()
    _delete_unnamed(table)


def _in_order(table: "Table") -> list["Snapshot"]:
    return sorted(table.metadata.snapshots, key=lambda s: s.sequence_number or 0)


def _entries(known: Mapping[str, str], snapshots: list["Snapshot"]) -> dict[dt.date, str]:
    """The entry ids by day, each of the last snapshot that wrote the day."""
    found = dict(known)
    for snapshot in snapshots:
        summary = snapshot.summary.additional_properties if snapshot.summary else {}
        found |= json.loads(summary.get(ENTRIES, "{}"))
    return {dt.date.fromisoformat(day): entry_id for day, entry_id in found.items()}


def _delete_unnamed(table: "Table") -> None:
    """Delete data files and manifests that no snapshot names, and that are not just being written.

    pyiceberg takes snapshots out of a table's metadata, and leaves their files.
    """
    named: set[str] = set()
    for snapshot in table.metadata.snapshots:
        named.add(snapshot.manifest_list)
        for manifest in snapshot.manifests(table.io):
            if manifest.manifest_path not in named:
                named.add(manifest.manifest_path)
                files = manifest.fetch_manifest_entry(table.io)
                named |= {entry.data_file.file_path for entry in files}
    places = {Path(path.removeprefix(_FILE)) for path in named}
    root = Path(table.location().removeprefix(_FILE))
    long_ago = time.time() - _FILE_KEPT.total_seconds()
    for path in (*root.rglob("*.parquet"), *root.rglob("*.avro")):
        if path not in places and path.stat().st_mtime < long_ago:
            path.unlink()
