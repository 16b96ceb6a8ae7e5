"""What is Snakemake's own: the rules, and the bridge to DVC."""
