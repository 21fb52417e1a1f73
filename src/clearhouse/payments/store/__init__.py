"""The operational store of payments: what was recorded, and the state that follows from it."""
