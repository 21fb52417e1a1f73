"""A domain of two datasets that only tests use: the toy's tickets, under two names."""
