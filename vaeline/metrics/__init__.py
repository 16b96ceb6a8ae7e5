"""Metrics: arrays, tensors or callables in, numbers out; they know nothing of the model."""

FEW_SAMPLES = 10  # an importance-sampled likelihood that rests on fewer effective samples is only a bound
