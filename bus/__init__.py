"""How a participant speaks: decode, inbox, outbox, retry, dead letters, lanes of work, health and metrics."""
