"""The general ledger: a domain of the pipeline, its service, and the reports of its close."""
