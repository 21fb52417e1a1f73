"""The general ledger of an oil and gas operator: its service, its pipeline, its reports."""
