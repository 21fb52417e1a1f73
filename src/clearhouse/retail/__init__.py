"""Retail: the sales of three retailers, from their APIs to one star schema."""
