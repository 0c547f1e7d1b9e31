"""A page to look at what is archived: projects, sessions, scans and their slices."""
