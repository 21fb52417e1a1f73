"""A small domain that only tests use: tickets sold at two booths, each a source of its own."""
