"""Benchmarks: what each part takes, and dlt with dbt, or the plain way, beside it.

`make bench` runs them; docs/guides/benchmarks.md says what each figure is and is not.
"""
