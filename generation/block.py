"""One block of an answer on its way into a merge session, or into a suggestion."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto

from collab.ids import FileId, FilePath
from collab.merge.hunks import HunkId
from collab.merge.suggestions import Kind
from generation.elision import elides
from generation.locate import Place
from generation.near import Near
from generation.postprocess import Formatter


class Held(Enum):
    """Why nothing of a block is written yet."""

    NO = auto()
    MAYBE_THERE = auto()  # so far it is what stands in the file already
    GATHERED = auto()  # it has no place, or that is known only once all of it has come


@dataclass(slots=True)
class Block:
    """A block that is being read. ``hunk`` is None for one that is gathered; then ``reason`` or ``near`` says why.

    ``base`` is the text of its file, in which ``place`` is where it belongs.
    """

    path: FilePath
    kind: Kind
    formatter: Formatter
    base: str = ""
    place: Place | None = None
    near: Near | None = None
    hunk: HunkId | None = None
    file: FileId | None = None
    reason: str = ""
    before: str = ""
    held: Held = Held.NO
    search: str | None = None
    """What it looks for; None of a whole file."""
    repeats: str | None = None
    """What an earlier block has put into this very place."""
    elided: str | None = None
    """A line of it that stands for lines that are left out."""
    raw: list[str] = field(default_factory=list)
    written: list[str] = field(default_factory=list)
    _line: str = ""
    _last: str = ""
    _candidates: list[int] | None = None
    _plain: str = ""

    def __post_init__(self) -> None:
        """Prepares what each piece is compared with."""
        self._plain = self.base.replace("\r\n", "\n")
        if not self._plain.endswith("\n"):
            self._plain += "\n"
        if self.hunk is not None and self.kind == "hunk" and self.place is not None and self.base:
            self.held = Held.MAYBE_THERE
        elif self.hunk is None:
            self.held = Held.GATHERED

    @property
    def text(self) -> str:
        """The replacement as the model wrote it, so far."""
        return "".join(self.raw)

    def take(self, text: str) -> str:
        """The next piece of the replacement; returns what is to be written of it now."""
        self.raw.append(text)
        self._look(text)
        if self.held is Held.NO:
            return self._format(text)
        if self.held is Held.GATHERED or self._may_be_there():
            return ""
        self.held = Held.NO
        return self._format(self.text)

    def finish(self) -> str:
        """All of it has come; returns what is left to write."""
        if self._line:
            self._look("\n")
        rest = "" if self.held is Held.NO else self._format(self.text)
        end = self.formatter.end()
        self.written.append(end)
        return rest + end

    def stands(self) -> bool:
        """Whether all of it is what stands in the file already, around the place that it is for."""
        if self.held is not Held.MAYBE_THERE or self.place is None or not self._candidates:
            return False
        text = self.text
        end = len(self.base[: self.place.end].replace("\r\n", "\n"))
        return text.endswith("\n") and any(start + len(text) >= end for start in self._candidates)

    def _format(self, text: str) -> str:
        out = self.formatter.feed(text)
        self.written.append(out)
        return out

    def _may_be_there(self) -> bool:
        assert self.place is not None
        text = self.text
        if self._candidates is None:
            last = len(self.base[: self.place.start].replace("\r\n", "\n"))
            self._candidates = []
            start = 0
            while 0 <= start <= last:
                if self._plain.startswith(text, start):
                    self._candidates.append(start)
                start = self._plain.find("\n", start) + 1 or -1
        else:
            self._candidates = [start for start in self._candidates if self._plain.startswith(text, start)]
        return bool(self._candidates)

    def _says(self, line: str) -> bool:
        """Whether the file itself has such a line."""
        return any(line == other.strip() for other in self._plain.split("\n"))

    def _look(self, text: str) -> None:
        """Looks at each line once it is complete."""
        *lines, self._line = (self._line + text).split("\n")
        for line in lines:
            if self.elided is None and elides(self.path, line, self._last) and not self._says(line.strip()):
                self.elided = line.strip()
            self._last = line if line.strip() else self._last
