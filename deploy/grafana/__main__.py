"""Write every dashboard to its file."""

from deploy.grafana.dashboard import FOLDER
from deploy.grafana.ledger import GENERAL_LEDGER
from deploy.grafana.panels import BOOKS, PIPELINE, QUALITY
from deploy.grafana.payments import PAYMENTS

DASHBOARDS = (PIPELINE, GENERAL_LEDGER, QUALITY, BOOKS, PAYMENTS)

if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for dashboard in DASHBOARDS:
        dashboard.file.write_text(dashboard.text(), encoding="utf-8")
