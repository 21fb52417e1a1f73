"""The sales APIs of three retailers.

Wire format as recorded from the public APIs. Content differs on purpose: ids are unique over days,
customers are the same persons from day to day, products change, sales have several lines, and goods
come back.
"""
