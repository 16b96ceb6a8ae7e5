"""What races: `ours_*.py` in our environment, the others, named for the peer, in that of the peers.

Each function loads what it needs, builds what it works on and returns the work: a function that does it once.
"""
