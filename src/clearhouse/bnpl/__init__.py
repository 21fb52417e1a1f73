"""BNPL: purchases financed by a lender, from the simtom API to published marts."""
