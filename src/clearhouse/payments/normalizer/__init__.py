"""The normalizer: a loop over `payments.webhooks`, and the archive of raw webhooks in landing."""
