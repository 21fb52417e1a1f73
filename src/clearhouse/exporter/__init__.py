"""The exporter: how the books stand, as metrics that Prometheus scrapes."""
