"""Landing: what arrived, byte for byte, by source and day; nothing is deleted.

`Landing.from_url(url)` is the whole of it; see `landing.store` for its promises.
"""

from clearhouse.landing.objects import Counted, LandedObject
from clearhouse.landing.store import Landing

__all__ = ["Counted", "LandedObject", "Landing"]
