"""Print the BibTeX entries of the papers behind a study."""

from collections.abc import Iterator
from pathlib import Path

import click

from pipeline_steps.command import study_command
from vaeline.evaluation.catalogue import catalogue, require_primary
from vaeline.study import papers, parts
from vaeline.study.schema import Study


@study_command
def main(study: Study) -> None:
    """Print the papers behind the active study as BibTeX: those that its parts, its data set and its primary metrics cite."""
    require_primary(study.study.primary)
    cited = _cited(study)
    known = [key for key in cited if key in papers.entries()]
    if missing := [key for key in cited if key not in known]:
        click.echo(f"No entry is known for {', '.join(missing)}, which own parts cite.", err=True)
    click.echo(papers.bibtex(known) if known else "% The parts of this study cite no paper.")


def _cited(study: Study) -> list[str]:
    """The keys of the papers, each once."""
    return list(
        dict.fromkeys(key for path in _files(study) for key in papers.papers_of(path.read_text(encoding="utf-8")))
    )


def _files(study: Study) -> Iterator[Path]:
    """The files of what the study uses, each once."""
    used = [study.variants[name] for name in study.study.variants]
    yield from (path for _, _, path in parts.files_of([*used, study.evaluation]))
    yield parts.file("sets", study.dataset.name)
    for metric in study.study.primary or ():
        yield parts.file("metrics", catalogue().files[metric])


if __name__ == "__main__":
    main()
