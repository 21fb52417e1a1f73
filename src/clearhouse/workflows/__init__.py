"""Durable workflows: activities with their policies, and what runs them."""
