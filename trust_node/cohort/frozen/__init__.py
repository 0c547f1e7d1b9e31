"""Frozen cohorts: by what they were frozen, who is still in them, what training may see of them."""
