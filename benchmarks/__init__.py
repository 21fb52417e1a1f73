"""Benchmarks: what each part of the BNPL pipeline takes, and dlt with dbt beside it.

`make bench` runs them; docs/guides/benchmarks.md says what each figure is and is not.
"""
