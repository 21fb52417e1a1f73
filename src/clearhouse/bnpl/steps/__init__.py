"""The steps of the BNPL domain, one module a stage."""
