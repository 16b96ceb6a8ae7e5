"""What the networks see of the labels, one file each."""
