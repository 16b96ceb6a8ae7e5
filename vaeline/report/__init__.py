"""The results of a study: comparison over seeds, table, answer, trade-offs, plots and the page."""
