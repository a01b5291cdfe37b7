"""Reports that people keep: one HTML file, a CSV, tickets in Markdown, an evidence pack."""
