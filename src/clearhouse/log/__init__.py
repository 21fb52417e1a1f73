"""The event log between services: one protocol, one file a backend."""
