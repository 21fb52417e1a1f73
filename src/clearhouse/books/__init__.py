"""The books: for each hop and day, what went in equals what came out and what was set aside."""

from clearhouse.books.hop import Hop, Leg, Relation
from clearhouse.books.ledger import Books
from clearhouse.books.model import Entry, EntryKey, Side, Status, Totals

__all__ = ["Books", "Entry", "EntryKey", "Hop", "Leg", "Relation", "Side", "Status", "Totals"]
