"""The general ledger of an oil and gas operator that is not there: its lines, day by day."""
