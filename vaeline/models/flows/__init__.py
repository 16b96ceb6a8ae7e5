"""Normalizing flows, one file each."""
