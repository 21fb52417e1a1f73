"""Stand-ins for the outside world: seeded, exact on the wire, hostile on request."""
