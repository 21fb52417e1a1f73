"""`payments refold`: the state of payments follows from their events by the code as it is now."""

import json
from collections import Counter
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from clearhouse.cli.app import out, settings_of_stores
from clearhouse.cli.options import JsonFlag
from clearhouse.cli.progress import under_way
from clearhouse.cli.words import counted

if TYPE_CHECKING:
    from clearhouse.payments.store.database import PaymentStore


def refold(
    applies: Annotated[
        bool, typer.Option("--apply", help="Write what differs; without it, only say it.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Fold every payment, refund, dispute and payout of the store again from its events.

    After an upgrade: what an earlier version has folded stays as it was until the next event of the
    payment. Services may run meanwhile, of this version.
    """
    from clearhouse.payments.opening import opened

    with ExitStack() as stack:
        _, store = stack.enter_context(opened(settings_of_stores()))
        with under_way("folding again"):
            folded, changed = _refolded(store, applies=applies)
    if as_json:
        print(json.dumps({"folded": folded, "rows": changed, "applied": applies}))
        return
    out.print(f"{folded:,} payments, payouts and others folded again.")
    for table, number in changed.items():
        out.print(f"{number:>9,}  {'row' if number == 1 else 'rows'} of {table}")
    differing = counted(sum(changed.values()), "row")
    if applies:
        out.print(f"{differing} written anew.")
    elif changed.total():
        out.print(f"{differing} would differ. Nothing was written: run it again with --apply.")
    else:
        out.print("All rows are as they should be.")


def _refolded(store: "PaymentStore", *, applies: bool) -> tuple[int, Counter[str]]:
    from clearhouse.payments.store.refold_all import TABLES, refold_all

    folded = 0
    changed = Counter({table.name: 0 for table in TABLES})
    for batch in refold_all(store, applies=applies):
        folded += batch.keys
        changed.update(batch.changed)
    return folded, changed
