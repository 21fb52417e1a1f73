"""What providers say that their payouts consist of: entries, in one form for all providers."""
