"""The payment providers of the sandbox: they know the truth of each payment that they report."""
