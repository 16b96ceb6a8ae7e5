"""Benchmarks of vaeline's speed beside the tools that people use today. `make bench` writes docs/performance.md."""
