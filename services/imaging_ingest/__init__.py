"""The import of approved cohorts, watched study by study at every trust."""
