"""The sides of the races. `ours_*.py` run in our environment; each other module is named for the peer and runs in the peers' environment,
except `pillow`, `engines` and `sleeper`, which also run in ours.

Each function sets up its work and returns a function that does the work once and returns its amount.
"""
