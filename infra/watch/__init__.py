"""What watches a federation: scrape targets, alert rules, dashboards."""
