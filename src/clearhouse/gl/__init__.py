"""The general ledger: journal lines, EIA's prices, statements and reports."""
