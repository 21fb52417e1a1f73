"""Questions to a generated ledger in SQL, and ways to make it anew."""

import sys

import duckdb
import pyarrow as pa


def ask(lines: pa.Table, sql: str) -> list[tuple]:
    """The rows of a query over `lines`; `cents` is a line's debit less its credit."""
    with duckdb.connect() as connection:
        connection.register("every_line", lines)
        connection.execute(
            "create view lines as select *, debit_minor - credit_minor as cents from every_line"
        )
        return connection.execute(sql).fetchall()


def forget() -> None:
    """Nothing that was made of any ledger is kept: what is asked next is made alone."""
    for name, module in list(sys.modules.items()):
        if name.startswith("clearhouse.sandbox.gl."):
            for each in vars(module).values():
                if hasattr(each, "cache_clear"):
                    each.cache_clear()


FINDINGS = {
    "duplicate_invoice": """
        select max(journal_entry) from lines
        where account_code = '2010' and document like 'INV-%' and credit_minor > 0
          and journal_entry not in (select reverses from lines where reverses is not null)
        group by party_id, document, cents having count(*) > 1""",
    "entry_after_close": """
        select journal_entry from lines where entry_type <> 'closing'
        group by all having max(recorded_on) > max(posting_date) + 12""",
    "misposted_well": """
        select distinct journal_entry
        from lines join (select well_id, mode(lease_name) as lease from lines group by all)
            using (well_id)
        where lease_name <> lease""",
    "one_cent_imbalance": "select journal_entry from lines group by all having sum(cents) <> 0",
    "deck_not_one": """
        select journal_entry from lines where share is not null
        group by all having sum(share) <> 1""",
    "unapproved": "select journal_entry from lines where created_by = approved_by group by all",
    "missing_number": """
        select printf('JE-%08d', max(substr(journal_entry, 4)::bigint) - 1)
        from (select fiscal_period, entry_number, journal_entry,
                     entry_number - lag(entry_number) over (partition by fiscal_period
                                                            order by entry_number) as step
              from (select distinct fiscal_period, entry_number, journal_entry from lines))
        where step > 1 group by fiscal_period, entry_number""",
    "reversed_twice": """
        select max(journal_entry) from lines where reverses is not null
        group by reverses having count(distinct journal_entry) > 1""",
}
"""How each labelled fault shows: the entries that have it."""
