"""`python -m jobs` is `clinsum`: for a checkout whose scripts are not installed."""

from jobs.cli import main

main()
