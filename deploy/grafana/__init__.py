"""Grafana's dashboards as code: `python -m deploy.grafana` writes `dashboards/*.json`.

The files are committed, so that Grafana is provisioned from the checkout; a test holds them to what
this writes. A panel is a line in `panels.py`, `ledger.py`, `payments.py`; what it is in JSON is in
`dashboard.py`.
"""
