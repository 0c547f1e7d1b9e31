"""A tiny participant for the tests of the bus: it counts, and misbehaves when a command says so."""
