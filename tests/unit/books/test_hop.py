import pytest
from books_in_memory import DAY, NEXT, MemoryStore, Record, hop_between, totals

from clearhouse.books import Hop, Leg, Side
from clearhouse.books.hop import MAX_NAMED, Named

THREE: tuple[Record, ...] = (("a", 4590, "USD"), ("b", 100, "USD"), ("c", -250, "USD"))


def test_a_hop_measures_every_side_of_every_day() -> None:
    hop = hop_between(
        MemoryStore(*THREE), out=MemoryStore(*THREE[:2]), rejected=MemoryStore(THREE[2])
    )
    measured = hop.measure([DAY, NEXT])
    assert {side: t.records for side, t in measured[DAY].totals.items()} == {
        Side.IN: 3,
        Side.OUT: 2,
        Side.REJECTED: 1,
    }
    assert measured[NEXT].totals == dict.fromkeys((Side.IN, Side.OUT, Side.REJECTED), totals(0))


def test_two_stores_on_one_side_are_added() -> None:
    leaving = (Leg(Side.OUT, MemoryStore(THREE[0])), Leg(Side.OUT, MemoryStore(THREE[1])))
    hop = Hop("gold → readers", leaving)
    out = hop.measure([DAY])[DAY].totals[Side.OUT]
    assert (out.records, out["minor:USD"]) == (2, 4690)


def test_a_hop_that_balances_names_nobody() -> None:
    hop = hop_between(
        MemoryStore(*THREE), out=MemoryStore(*THREE[1:]), superseded=MemoryStore(THREE[0])
    )
    assert hop.name_differences(DAY) == []


@pytest.mark.parametrize(
    ("leaving", "kind", "told"),
    [
        (THREE[1:], "missing", "−1 record, −45.90 USD: a"),
        (THREE[:2], "missing", "−1 record, +2.50 USD: c"),
        ((*THREE, THREE[1]), "doubled", "+1 record, +1.00 USD: b"),
        ((*THREE, THREE[2]), "doubled", "+1 record, −2.50 USD: c"),
        ((*THREE, THREE[1], THREE[1]), "doubled", "+2 records, +2.00 USD: b"),
        ((*THREE, ("d", 7, "JPY")), "invented", "+1 record, +7 JPY: d"),
        ((*THREE, ("d", 0, "XXX")), "invented", "+1 record, 0 XXX: d"),
        ((("a", 4591, "USD"), *THREE[1:]), "changed", "a: 45.90 USD became 45.91 USD"),
        ((("a", 4590, "EUR"), *THREE[1:]), "changed", "a: 45.90 USD became 45.90 EUR"),
        ((("a", 4590, "JPY"), *THREE[1:]), "changed", "a: 45.90 USD became 4590 JPY"),
    ],
    ids=[
        "missing",
        "missing refund",
        "doubled",
        "doubled refund",
        "tripled",
        "invented",
        "invented unreadable",
        "changed by a cent",
        "changed currency",
        "changed places",
    ],
)
def test_a_difference_is_named_with_its_record_and_its_cents(
    leaving: tuple[Record, ...], kind: str, told: str
) -> None:
    (named,) = hop_between(MemoryStore(*THREE), out=MemoryStore(*leaving)).name_differences(DAY)
    assert named.kind == kind
    assert str(named) == told


def test_of_a_record_that_came_twice_and_left_once_one_is_missing() -> None:
    hop = hop_between(MemoryStore(THREE[0], THREE[0]), out=MemoryStore(THREE[0]))
    (named,) = hop.name_differences(DAY)
    assert (named.kind, named.records, named.minor) == ("missing", -1, -4590)


def test_differences_come_worst_first_and_with_all_that_is_known() -> None:
    entering = MemoryStore(("a", 1, "USD"), ("b", 500, "USD"), ("c", 7, "USD"), ("d", 3, "USD"))
    leaving = MemoryStore(("a", 1, "USD"), ("a", 1, "USD"), ("a", 1, "USD"), ("d", 2, "USD"))
    differences = hop_between(entering, out=leaving).name_differences(DAY)
    assert [named.record_id for named in differences] == ["a", "b", "c", "d"]
    assert differences[1] == Named(
        record_id="b",
        record_key="2024-03-09|b",
        kind="missing",
        records=-1,
        minor=-500,
        currency="USD",
        amount_in=500,
        amount_out=0,
        currency_out="USD",
    )


@pytest.mark.parametrize(
    ("record_key", "name"),
    [("2024-03-09|till 4|c", "c"), ("c", "c"), ("2024-03-09|", "0a1b"), ("", "0a1b")],
)
def test_a_record_is_named_by_the_last_part_of_its_key_or_its_id(record_key, name) -> None:
    named = Named("0a1b", record_key, "missing", -1, -5, "USD", 5, 0, "USD")
    assert str(named) == f"−1 record, −0.05 USD: {name}"


@pytest.mark.parametrize(
    ("record_key", "name"), [("A|s|2", "A|s|2"), ("A|2", "A|2"), ("|1", "0a1b"), ("||1", "0a1b")]
)
def test_a_record_that_only_its_whole_key_names(record_key, name) -> None:
    named = Named("0a1b", record_key, "missing", -1, -5, "USD", 5, 0, "USD", by_key=True)
    assert str(named) == f"−1 record, −0.05 USD: {name}"


def test_columns_are_told_of_the_first_records_that_differ_in_them_alone() -> None:
    ids = [f"r{n:02}" for n in range(MAX_NAMED + 2)]
    entering, leaving = (MemoryStore(*((each, 1, "USD") for each in ids)) for _ in range(2))
    entering.content = {(each, "note"): "paid" for each in ids}
    leaving.content = {**entering.content, **{(each, "note"): "open" for each in ids[1:]}}
    *told, last = hop_between(entering, out=leaving).name_differences(DAY, ["note"])
    assert [named.record_id for named in told] == ids[1:-1]
    assert {(n.kind, n.column, n.before, n.after) for n in told} == {
        ("changed", "note", '"paid"', '"open"')
    }
    assert (last.record_id, last.record_key, last.kind) == (ids[-1], ids[-1], "changed")
    assert (last.column, last.before, last.after) == ("", "NULL", "NULL")


def test_a_hop_without_an_entering_side_finds_all_its_records_invented() -> None:
    hop = Hop("source → landing", (Leg(Side.OUT, MemoryStore(THREE[0])),))
    assert [named.kind for named in hop.name_differences(DAY)] == ["invented"]
