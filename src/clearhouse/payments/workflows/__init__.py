"""The workflows of payments on a workflow server: their definitions, and what starts and runs them.

One run an event, under the event's id. See docs/guides/payments-workflows.md.
"""
