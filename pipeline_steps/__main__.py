"""The console command `vaeline`: the commands of vaeline by their names, with completion in the shell.

`eval "$(_VAELINE_COMPLETE=bash_source vaeline)"` completes them in bash, and the names of studies; click writes the same for zsh and fish.
"""

import ast
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import click

ROOT = Path(__file__).parents[1]


class Command(NamedTuple):
    """A subcommand."""

    module: str  # of this package, whose `main` is the command
    of_project: bool = True  # whether it works only in a project


COMMANDS = {
    "run": Command("run"),
    "table": Command("table", of_project=False),
    "explore": Command("explore", of_project=False),
    "draw": Command("draw", of_project=False),
    "push": Command("push", of_project=False),
    "export": Command("export", of_project=False),
    "use": Command("use"),
    "plan": Command("plan"),
    "power": Command("power"),
    "report": Command("report"),
    "reproduce": Command("reproduce"),
    "parts": Command("parts"),
    "cite": Command("cite"),
    "update": Command("update"),
}


class Commands(click.Group):
    """Imports a command when it is asked for, because torch takes seconds to load and a list of names does not need it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of `--help`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; None if there is no such command."""
        if cmd_name not in COMMANDS:
            return None
        try:
            found: click.Command = import_module(f"pipeline_steps.{COMMANDS[cmd_name].module}").main
        except ModuleNotFoundError as error:
            from vaeline.system.extras import lacking

            if sentence := lacking(error, f"vaeline {cmd_name}"):
                raise click.ClickException(str(sentence)) from error
            raise
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the first word names, which may need a project.

        Raises:
            ClickException: no command has the name, or it needs a project and the folder lies in none.
        """
        if ctx.resilient_parsing:  # a shell completes what may be wrong as yet
            return super().resolve_command(ctx, args)
        name = args[0]
        if name not in COMMANDS:
            from vaeline.system.errors import instead_of, shown

            raise click.UsageError(
                f"There is no command {shown(name)}; {instead_of(name, COMMANDS, 'there are')}.", ctx
            )
        if COMMANDS[name].of_project and project() is None and "--help" not in args:
            raise click.ClickException(
                f"`vaeline {name}` works in a project, which is a clone of vaeline's repository, and {Path.cwd()} lies in none; change to one."
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write each command with the first sentence of its help, which is read from its file."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _first_sentence(command.module)) for name, command in COMMANDS.items()])


def _first_sentence(module: str) -> str:
    tree = ast.parse((Path(__file__).parent / f"{module}.py").read_text(encoding="utf-8"))
    [main] = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "main"]
    return " ".join((ast.get_docstring(main) or "").split()).partition(". ")[0].removesuffix(".")


def project() -> Path | None:
    """The clone that the current folder lies in; None if it lies in none."""
    here = Path.cwd()
    named = ("Snakefile", "vaeline/__init__.py", "pipeline_steps/__main__.py")
    return next((each for each in (here, *here.parents) if all((each / name).is_file() for name in named)), None)


def run_code_of_project() -> None:
    """Inside a clone, replace this process by one that runs the clone's code, in the clone's `.venv` if there is one."""
    root = project()
    if root is None or root.resolve() == ROOT.resolve():
        return
    before = os.environ.get("PYTHONPATH", "")
    if before.split(os.pathsep)[0] == str(root):  # it was tried, and something hides the code
        raise SystemExit(f"Error: {ROOT / 'pipeline_steps'} hides the code of {root}; remove it, or run `make` there.")
    python = root / ".venv/bin/python" if (root / ".venv/.ready").exists() else Path(sys.executable)
    path = os.pathsep.join(filter(None, [str(root), before]))
    os.execve(str(python), [str(python), "-m", "pipeline_steps", *sys.argv[1:]], os.environ | {"PYTHONPATH": path})


def _print_version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from vaeline.system.version import __version__

        click.echo(f"vaeline {__version__}")
        ctx.exit()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, expose_value=False, is_eager=True, callback=_print_version, help="Print it.")
def commands() -> None:
    """Compare VAE-family image models and get results that you can trust."""


def main() -> None:
    """Run the command that the words of the command line name."""
    run_code_of_project()
    commands(prog_name="vaeline")


if __name__ == "__main__":
    main()
