"""What one run is worth: figures of its likelihood, its images, its latents and its codes, each with how it was made."""
