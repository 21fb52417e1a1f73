"""The general ledger of an oil and gas operator, and the energy prices beside it."""
