"""Errors, files, memory, devices, progress, seeds and plot style: what every other package rests on."""
