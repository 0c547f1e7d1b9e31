"""The hub's services. They never import one another: they meet only in events."""
