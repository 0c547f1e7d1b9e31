"""The gateway: what people look at. For now it keeps views; it decides nothing."""
