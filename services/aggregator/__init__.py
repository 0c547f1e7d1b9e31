"""Folds the updates of a round into the next global model."""
