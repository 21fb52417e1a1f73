"""What each provider's notifications say: one file a provider, pure functions, no clock, no I/O."""
