"""The worker: events from the log into the operational store, each once."""
