"""One thin command for each stage of the pipeline: read files, call vaeline, write files."""
