"""How a person or a UI backend speaks: the Python SDK and the `trustflow` command."""
