"""The language of Trustflow: every command, event and topic. Pydantic only, no I/O, imports nothing of ours."""
