"""What can be seen of a participant: figures, spans, logs, health."""
