"""simtom: the BNPL lender's API.

Wire format as recorded from the public simtom. Content differs on purpose: ids are unique over
days, and customers are the same persons from day to day.
"""
