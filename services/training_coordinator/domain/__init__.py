"""What may happen to models and runs. Pure: no I/O; the clock and the maker of addresses are passed in."""
