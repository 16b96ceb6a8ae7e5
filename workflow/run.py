"""Run Snakemake with the terminal's own logger, and then print the study's results: `vaeline run` and `make run`."""

import os
import re
import sys
from datetime import datetime
from itertools import takewhile
from pathlib import Path

from snakemake.cli import get_argument_parser
from snakemake.cli import main as snakemake
from snakemake_interface_logger_plugins.registry import LoggerPluginRegistry

from vaeline.system.errors import instead_of, shown
from workflow import terminal
from workflow.captured import Captured

NAME = "vaeline"  # of the plugin
LOGS = Path(".snakemake/log")
RULES = Path("workflow/rules")
# What Snakemake's parser calls the options with which it runs no job.
NO_RUN = (
    "dryrun", "touch", "lint", "list_rules", "list_target_rules", "print_compilation", "containerize", "reporter", "report",
    "generate_unit_tests", "dag", "rulegraph", "filegraph", "d3dag", "unlock", "cleanup_metadata", "cleanup_shadow",
    "conda_cleanup_envs", "conda_create_envs_only", "list_conda_envs", "container_cleanup_images", "list_changes",
    "list_input_changes", "list_params_changes", "list_untracked", "summary", "detailed_summary", "archive", "delete_all_output",
    "delete_temp_output", "deploy_sources",
)  # fmt: skip
PRETENDED = ("dryrun", "touch")  # executors that run no job either
EVERY_SECOND = {"VAELINE_PROGRESS": "1"}  # how often a step says how far it is


def main(words: list[str]) -> None:
    """Run Snakemake with the words of its command line.

    Args:
        words: `--verbose` or `--quiet` of `vaeline run`, which may come first, and what Snakemake is given.
    """
    level = words.pop(0) if words[:1] in (["--verbose"], ["--quiet"]) else ""
    _refuse_unknown(words)
    environment = dict(os.environ)
    runs = _runs_jobs(words)
    status = _watched(words, level == "--quiet") if runs and level != "--verbose" else _run(words)
    if status or not runs:
        sys.exit(status)
    print(file=sys.stderr)
    os.execve(sys.executable, [sys.executable, "-m", "pipeline_steps.table", "--brief"], environment)


def _runs_jobs(words: list[str]) -> bool:
    """Whether Snakemake runs jobs with these words. Its parser, which it asks again, ends the process if they ask for help or are wrong."""
    parser = get_argument_parser()
    given = parser.parse_args(words)
    if given.report_after_run:
        return True
    return given.executor not in PRETENDED and all(getattr(given, each) == parser.get_default(each) for each in NO_RUN)


def _watched(words: list[str], quiet: bool) -> int:
    """Run Snakemake with the logger of `terminal`. Returns the exit status."""
    captured = Captured(LOGS / f"{datetime.now():%Y-%m-%dT%H%M%S}.jobs.log")
    terminal.LogHandler.captured, terminal.LogHandler.quiet = captured, quiet
    LoggerPluginRegistry().register_plugin(f"snakemake_logger_plugin_{NAME}", terminal)
    if sys.stderr.isatty():
        os.environ.update(EVERY_SECOND)
    try:
        return _run([*words, "--logger", NAME])
    finally:
        captured.release()
        for text in (*captured.lines.new(), captured.lines.last()):
            if text:
                print(text, file=sys.stderr)


def _run(words: list[str]) -> int:
    try:
        snakemake(words)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    return 0


def _refuse_unknown(words: list[str]) -> None:
    """End with a sentence if a target is neither a file nor a rule. Snakemake would say that no rule produces it.

    Args:
        words: of the command line. Those after the first option may be its values.
    """
    texts = [path.read_text(encoding="utf-8") for path in RULES.glob("*.smk")]
    rules = ["all", *(name for text in texts for name in re.findall(r"^rule (\w+):", text, re.MULTILINE))]
    for word in takewhile(lambda each: not each.startswith("-"), words):
        if re.fullmatch(r"[A-Za-z_]\w*", word) and word not in rules and not Path(word).exists():
            sys.exit(f"Error: There is no target {shown(word)}; {instead_of(word, rules, 'there are')}.")


if __name__ == "__main__":
    main(sys.argv[1:])
