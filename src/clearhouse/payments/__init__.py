"""Payments: from providers' webhooks to settled facts, each exactly once."""
