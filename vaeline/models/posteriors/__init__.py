"""Posteriors q(z|x), one file each."""
