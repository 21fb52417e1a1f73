"""Clearhouse: a lakehouse for money, where the books balance."""
