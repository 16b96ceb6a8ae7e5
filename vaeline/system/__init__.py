"""Errors, files, locks, memory, devices, progress, seeds and plot style, for every other package."""
