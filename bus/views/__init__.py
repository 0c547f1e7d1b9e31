"""Views: events folded into rows, in tables that can be replaced whole."""
