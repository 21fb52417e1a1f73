"""EIA's API v2: energy prices and crude oil production.

Wire format as documented and seen on the public API. Prices are those that all sandbox sources
agree on (`sandbox.prices`). A day's price is there from the day after on, and some are revised
within days: a request is answered as it would have been on its `end`, so that it has one answer at
any time.
"""
