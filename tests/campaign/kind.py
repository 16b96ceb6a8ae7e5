"""What a kind of cases is, and the projects that the cases of all kinds share."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.campaign import studies
from tests.campaign.outcome import Case, Verdict
from tests.campaign.readers import Answers
from tests.campaign.studies import STUDIES, World
from tests.workflow.launcher import Launcher
from tests.workflow.scratch import Project

Judge = Callable[[Case], Verdict]


class Grounds:
    """The projects on which cases are tried; each is made when it is first asked for, and never changed.

    Args:
        folder: an empty one, for all files of the campaign.
        small: whether a single study of one variant is enough.
    """

    def __init__(self, folder: Path, small: bool = False) -> None:
        self.folder, self.small = folder, small

    @cached_property
    def world(self) -> World:
        """A project with finished studies, for the readers of its files."""
        one = [("one", "digits", 0.006, ["plain"], [0, 1])]
        return studies.make_world(self.folder / "world/project", one if self.small else STUDIES)

    @cached_property
    def answers(self) -> Answers:
        """What the readers answer in that project."""
        return Answers(self.world)

    @cached_property
    def launcher(self) -> Launcher:
        """A process that starts engines and steps quickly."""
        return Launcher()

    @cached_property
    def fresh(self) -> Project:
        """A committed project with real steps, which has run nothing."""
        return studies.make_project(self.folder / "fresh", self.launcher)

    @cached_property
    def finished(self) -> Project:
        """The same project, run to its end by Snakemake: the reference of whole runs."""
        project = self.fresh.copy(self.folder / "finished")
        project.run("snakemake", "--cores", "1", "all")
        assert project.settled()
        project.commit()
        return project

    def close(self) -> None:
        """End the launcher, if it was started."""
        if "launcher" in vars(self):
            self.launcher.stop()


@dataclass(frozen=True)
class Kind:
    """A kind of cases.

    Args:
        name: of the kind.
        prepare: makes the judge of a case; it also makes what the cases share.
        cases: that a campaign of 30 minutes tries.
        batch: cases that one fork judges; 0 if a case takes care of its processes itself.
    """

    name: str
    prepare: Callable[[Grounds], Judge]
    cases: int
    batch: int = 0
