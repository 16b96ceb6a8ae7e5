"""Results of an evaluation that are kept, so that an edit of one metric computes nothing else again.

Each result is a file beside the checkpoints, keyed by all that decides it: the weights, the data, the settings and the
code that computed it. Both engines delete the outputs of a step before they run it again; they leave these files alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from vaeline.system.errors import UserError
from vaeline.system.state_files import State, key_of, plain, read_state, write_state


@dataclass(frozen=True)
class Section:
    """A part of an evaluation, with all that decides its result."""

    name: str
    decides: Mapping[str, object] = field(repr=False)

    @property
    def file(self) -> str:
        """The name of the file that holds the result."""
        return f"{self.name}-{key_of(self.decides)}.kept"


@dataclass(frozen=True)
class Kept:
    """The kept results of one run.

    Args:
        folder: that holds the files; None keeps nothing.
        decides: what decides every result: weights, data, device, versions.
        digest: hash of the code that decides a result, given the dotted names of the modules that compute it, and of `callers`.
        modules: that take part in computing every result.
        callers: modules that choose what every result is computed from.
    """

    folder: Path | None = None
    decides: Mapping[str, object] = field(default_factory=dict)
    digest: Callable[[Sequence[str], Sequence[str]], str] = lambda modules, callers: ""
    modules: tuple[str, ...] = ()
    callers: tuple[str, ...] = ()

    def and_of(self, **decides: object) -> "Kept":
        """The same for results that more things decide."""
        return replace(self, decides={**self.decides, **decides})

    def computed_by(self, *modules: str) -> "Kept":
        """The same for results that these modules take part in computing."""
        return replace(self, modules=(*self.modules, *modules))

    def called_by(self, *callers: str) -> "Kept":
        """The same for results that are computed from what these modules choose."""
        return replace(self, callers=(*self.callers, *callers))

    def section(self, name: str, modules: Sequence[str], **settings: object) -> Section:
        """Describe a part of the evaluation.

        Args:
            name: of the part, for people.
            modules: that compute it.
            settings: that decide it, beside what decides every result.
        """
        code = self.digest([*self.modules, *modules], self.callers)
        return Section(name, {"section": name, **self.decides, "code": code, "settings": settings})

    def result(self, section: Section, compute: Callable[[], State]) -> State:
        """The kept result of a section; it is computed and kept if there is none."""
        state = self.load(section)
        if state is None:
            state = compute()
            self.store(section, state)
        return state

    def load(self, section: Section) -> State | None:
        """The kept state of a section; None if there is none, or if the file is damaged or belongs to another section."""
        path = self.folder and self.folder / section.file
        if path is None or not path.is_file():
            return None
        try:
            content = read_state(path)
        except UserError:
            return None
        state: State | None = content["state"] if content.get("decides") == plain(section.decides) else None
        return state

    def store(self, section: Section, state: State) -> None:
        """Keep the state of a section; older states of the same name are removed."""
        if self.folder is None:
            return
        write_state(self.folder / section.file, {"decides": plain(section.decides), "state": state})
        for path in self.folder.glob(f"{section.name}-{'?' * 16}.kept"):
            if path.name != section.file:
                path.unlink(missing_ok=True)
