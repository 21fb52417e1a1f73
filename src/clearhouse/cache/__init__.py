"""What processes share through Redis where it is there. Nothing is right or wrong by it alone."""
