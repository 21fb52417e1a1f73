"""The general ledger as a service: its store, its feed of entries, and its HTTP interface."""
