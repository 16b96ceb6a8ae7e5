"""Feature spaces that images are compared in, one file each."""
