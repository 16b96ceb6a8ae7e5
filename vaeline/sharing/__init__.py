"""Giving a run to others: its files with a model card, on a hub or in a folder, and its networks for other libraries."""
