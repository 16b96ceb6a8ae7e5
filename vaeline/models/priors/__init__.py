"""Priors p(z) and p(z|y), one file each."""
