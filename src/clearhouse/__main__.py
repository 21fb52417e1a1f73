"""`python -m clearhouse`."""

from clearhouse.cli.main import main

main()
