"""All attacks, and what the commands end with that judge them."""

from attacks import (  # noqa: F401  (each registers its attacks)
    broken,
    certificates,
    fields,
    journal,
    landing,
    readers,
    rows,
    services,
    warehouse,
)
from attacks.certificates import REFUSED

EXIT_CODES = dict.fromkeys(REFUSED, 1)
"""By group, where it is not 4: a command that refuses to go on."""
