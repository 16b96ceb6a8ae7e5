"""Metrics: arrays, tensors or callables in, numbers out; they know nothing of the model."""
