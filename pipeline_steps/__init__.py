"""One thin command for each stage of the pipeline: read files, call vaeline, write files."""

# Before any other module of the project is imported, so that an edit of a module after its import is noticed.
from pipeline_steps import file_states as file_states
