"""Makes the data that de-identification ships with from what is installed for development."""
