"""Models, code bundles, runs and rounds."""
