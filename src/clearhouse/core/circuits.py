"""Circuit breakers, which stop asking for a while what has failed several times in a row."""

from clearhouse.core.deferred import left_out

with left_out("redis"):  # by which processes could share them; it takes a tenth of a second
    from purgatory import AsyncCircuitBreakerFactory, SyncCircuitBreakerFactory
    from purgatory.domain.model import OpenedState

__all__ = ["AsyncCircuitBreakerFactory", "OpenedState", "SyncCircuitBreakerFactory"]
