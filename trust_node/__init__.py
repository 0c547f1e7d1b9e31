"""Runs inside a hospital: outbound connections only, and the trust's own policy always wins."""
