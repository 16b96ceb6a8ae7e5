"""Densities fitted to the latents of a trained model, one file each."""
