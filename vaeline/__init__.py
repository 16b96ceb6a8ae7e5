"""Train, sample and judge VAE-family image models side by side."""
