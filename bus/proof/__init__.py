"""Who said it, and that nothing was changed since: signatures and accounts chained by hash."""
