"""A participant as small as can be: one row of state and one event for each event. What it costs is the bus."""
