"""The worker with the first version of the runs of events: `python worker_of_version_1.py PORT`."""

import sys

from payment_event_of_version_1 import PaymentEventWorkflow

from clearhouse.payments.workflows import worker_service
from clearhouse.settings import load_settings

worker_service.WORKFLOWS = (PaymentEventWorkflow,)
worker_service.serve(load_settings(_env_file=None), "127.0.0.1", int(sys.argv[1]))
