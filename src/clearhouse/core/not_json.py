"""What is raised of bytes that are no JSON, or none that can be read."""

import msgspec

NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""By msgspec: it is not JSON, a text in it is not UTF-8, or it nests too deep."""
