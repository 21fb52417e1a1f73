"""Tampering with the gold fact, for people and tests who want to see the books find it."""

from collections import defaultdict
from collections.abc import Mapping
from types import MappingProxyType

from clearhouse.pipeline.context import Run

TAMPERINGS: Mapping[str, str] = MappingProxyType(
    {
        "steal": "deleted from the gold fact",
        "double": "of the gold fact written twice",
        "change": "of the gold fact with a cent more",
    }
)


def tamper(run: Run, kind: str, count: int, dataset_id: str | None = None) -> int:
    """Change the first `count` published rows, in order of record id; how many there were."""
    dataset = run.dataset(dataset_id)
    gold, amount = dataset.declared.gold, dataset.contract.amount.name
    cent = "1" if dataset.contract.amount.is_minor else "0.01"
    pointers = run.publications.pointers(dataset.id)
    listed = ", ".join(map(run.engine.dialect.text, pointers.values())) or "''"
    chosen = run.engine.query(
        f"""SELECT _entry_id, _record_id FROM {gold} WHERE _entry_id IN ({listed})
                AND ('{kind}' <> 'change' OR {amount} IS NOT NULL)
            ORDER BY _record_id LIMIT {int(count)}"""
    ).to_pylist()
    ids: defaultdict[str, list[str]] = defaultdict(list)
    for row in chosen:
        ids[row["_entry_id"]].append(row["_record_id"])
    for entry_id, of_entry in ids.items():
        is_chosen = f"_record_id IN ({', '.join(map(run.engine.dialect.text, of_entry))})"
        with_a_cent = ", ".join(
            f"CASE WHEN {is_chosen} THEN {amount} + {cent} ELSE {amount} END AS {amount}"
            if name == amount
            else name
            for name in run.engine.columns(gold)
        )
        changed = {
            "steal": f"SELECT * FROM rows WHERE NOT {is_chosen}",
            "double": f"SELECT * FROM rows UNION ALL SELECT * FROM rows WHERE {is_chosen}",
            "change": f"SELECT {with_a_cent} FROM rows",
        }[kind]
        run.engine.rewrite_entry(gold, entry_id, changed)
    return len(chosen)
