"""Training: the loop, one step, tallies, checkpoints, and fitting a density."""
