"""Terms that training adds to the distortion, one file each."""
