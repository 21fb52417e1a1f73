"""The gateway: it takes providers' webhooks, and answers when the log has them."""
