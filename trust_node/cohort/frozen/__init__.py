"""Frozen cohorts: by what they were frozen, who is still in them at each use, what training may see of them."""
