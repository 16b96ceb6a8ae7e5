"""One thin command for each stage of the pipeline: read files, call vaeline, write files."""

import os
import signal
import sys
from types import FrameType

# Before any other module of the project is imported, so that an edit of a module after its import is noticed.
from pipeline_steps import file_states as file_states


def _stop(number: int, frame: FrameType | None) -> None:
    os.write(2, b"Interrupted.\n")  # the word by which `vaeline run` knows that no job has failed
    os._exit(130)


# A step imports for seconds, in which there is nothing to undo: Ctrl-C then ends it at once, without a traceback. While
# Python imports this package for `python -m pipeline_steps.<step>`, the name of the program is still "-m".
if sys.argv[:1] == ["-m"] and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, _stop)
