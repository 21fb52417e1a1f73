"""The general ledger of an oil and gas operator: its rules, its periods, its service."""
