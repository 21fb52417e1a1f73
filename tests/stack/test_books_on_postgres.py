"""What the books and the operational store do in files, they do on a server: the same tests."""

from importlib import import_module

import pytest
from databases import Databases, books, database

from stack.server import Server

__all__ = ["books", "database"]

MODULES = (
    "test_asked_of_the_books",
    "test_certificate",
    "test_clerk",
    "test_decisions",
    "test_exporter",
    "test_figures",
    "test_gaps",
    "test_journal",
    "test_landing_totals",
    "test_ledger",
    "test_publications",
    "test_quarantine_store",
    "test_recorder",
    "test_refold_all",
    "test_store_tables",
)
OF_FILES_ALONE = {
    "test_an_edited_row_is_named_with_what_was_recorded": "a column with a type takes no other",
    "test_an_invented_row_is_named": "the same",
    "test_the_database_refuses_a_fork": "asks for the error of another driver",
    "test_a_number_that_was_given_again_after_a_deletion_is_found": "sequences are reset otherwise",
}


@pytest.fixture(scope="session")
def databases(server: Server) -> Databases:
    return server.databases


def _taken_over() -> None:
    pytest.register_assert_rewrite(*MODULES)
    for module in map(import_module, MODULES):
        for name, found in vars(module).items():
            is_fixture = type(found).__name__ == "FixtureFunctionDefinition"
            is_test = name.startswith("test_") and name not in OF_FILES_ALONE
            if (is_fixture or is_test) and globals().setdefault(name, found) is not found:
                raise AssertionError(f"{name} is there twice")


_taken_over()
