"""Estimates of log p(x): importance sampling from the posterior or around its modes, annealing, and bounds from both sides."""
