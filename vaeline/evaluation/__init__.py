"""What is measured of a run, and how each number was made."""
