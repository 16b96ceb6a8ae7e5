"""The workflow of Snakemake: its rules, and the bridge to DVC."""
