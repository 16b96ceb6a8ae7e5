"""Bounds on log p(x) that training optimises, one file each."""
