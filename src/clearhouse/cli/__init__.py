"""The command line. Exit codes: 0 done, 1 failed, 2 usage, 3 held by a gate, 4 unbalanced."""
