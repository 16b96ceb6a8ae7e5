"""Metrics: arrays, tensors or callables in, numbers out; they know nothing of the model."""

FEW_SAMPLES = 10  # an importance-sampled likelihood that rests on fewer effective samples is only a bound
MOST_FALL = 0.5  # nats; so is one that ten times as many samples lower by more
