"""What an adversary with the files can do, by store, and how it must be named."""
