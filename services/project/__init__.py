"""Projects, members, staging and each trust's own decision."""
