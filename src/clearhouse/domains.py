"""The registry of domains: one line a domain, imported when it is first asked for."""

from importlib import import_module
from typing import TYPE_CHECKING

from clearhouse.core.errors import UsageError

if TYPE_CHECKING:
    from clearhouse.pipeline.domain import Domain

DOMAINS: dict[str, str] = {
    "bnpl": "clearhouse.bnpl.domain:BNPL",
    "retail": "clearhouse.retail.domain:RETAIL",
    "gl": "clearhouse.gl.domain:GL",
    "payments": "clearhouse.payments.domain:PAYMENTS",
}
"""Where each domain is declared, by its name."""


def domain_of(name: str) -> "Domain":
    """A domain by its name.

    Raises:
        UsageError: there is no such domain.
    """
    if name not in DOMAINS:
        raise UsageError(
            f"There is no domain {name!r}; there is {', '.join(DOMAINS)}.", "unknown_domain"
        )
    module, _, attribute = DOMAINS[name].partition(":")
    domain: Domain = getattr(import_module(module), attribute)
    return domain
