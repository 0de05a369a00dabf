"""The incremental parser of a model's answer: text in, in pieces of any size, events out.

An answer holds prose, reasoning, search/replace blocks and fenced whole files:

    src/app.py
    <<<<<<< SEARCH
    old lines
    =======
    new lines
    >>>>>>> REPLACE

    src/new.py
    ````python
    all of the file
    ````

and ``<<<<<<< DELETE path`` and ``<<<<<<< RENAME old => new`` on lines of their own. A fence may stand
around search/replace blocks, and the path may stand in the fence's info string. Fenced code that names no
file is an example and reaches none.

The events are the same for every way to split the answer, but for where texts are cut: what is held back
depends only on the characters so far. Nothing is guessed: what cannot be read with certainty is a
ParseProblem, and the block that is open then is void.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from enum import Enum, auto
from typing import Final

from collab.errors import InvalidPath
from collab.ids import FilePath, file_path
from generation import markers
from generation.answer import (
    FileClosed,
    FileDeleted,
    FileOpened,
    FileRenamed,
    FileText,
    HunkClosed,
    ParseEvent,
    ParseProblem,
    ProseSkipped,
    ReplaceText,
    Retracted,
    SearchCompleted,
    WholeFileOpened,
)
from generation.fences import contradiction
from generation.markers import (
    MAX_MARKER,
    Opening,
    begins,
    closes,
    divides,
    ends,
    may_be_fence,
    may_be_marker,
    opening,
)
from generation.naming import fence_path, line_path, mentioned_path, resolved

MAX_LINE: Final = 4096
"""A longer line of prose is not looked at any further."""
_PROSE_FILES: Final = (".md", ".mdx", ".markdown", ".rst", ".adoc", ".qmd", ".rmd")
"""Files that hold fences of their own."""


class _State(Enum):
    PROSE = auto()
    LONG_LINE = auto()
    THINKING = auto()
    FENCED = auto()  # a fence has opened; its first line says what it holds
    FENCED_PATH = auto()  # a fence whose first line was a path
    EXAMPLE = auto()
    SEARCH = auto()
    REPLACE = auto()
    WHOLE = auto()
    ENDED = auto()  # a whole file may have ended; what follows tells whether it has
    SKIPPING = auto()  # a block that cannot be used, up to its end
    OVER = auto()


class Parser:
    """Reads one answer. ``known`` are the paths that exist; ``limit`` bounds the answer in characters.

    ``last`` is the file that it was about when it goes on with an earlier answer.
    """

    def __init__(self, known: Collection[str] = (), limit: int = 4_000_000, last: FilePath | None = None) -> None:
        self._known = known
        self._limit = limit
        self._left = limit
        self._state = _State.PROSE
        self._back = _State.PROSE  # the state around a long line
        self._buffer = ""
        self._carry = ""  # a carriage return whose next character is not known yet
        self._scanned = 0
        self._line_start = True
        self._named: str | None = None  # all of the last line that was not blank
        self._mentioned: str | None = None
        self._last = last
        self._fence = ""
        self._info = ""
        self._depth = 0
        self._blank = ""  # blank lines at the start of a fence
        self._held: str | None = None
        self._path = FilePath("")
        self._opened = Opening("", 7, None)
        self._thought = re.compile("")
        self._search: list[str] = []
        self._events: list[ParseEvent] = []

    def feed(self, chunk: str) -> list[ParseEvent]:
        """What the next piece of the answer brings."""
        if self._state is _State.OVER:
            return []
        over = len(chunk) > self._left
        if over:
            chunk = chunk[: self._left]
        self._left -= len(chunk)
        chunk = self._carry + chunk
        self._carry = "\r" if chunk.endswith("\r") else ""
        self._buffer += chunk[: len(chunk) - len(self._carry)].replace("\r\n", "\n")
        self._run()
        if over:
            self._problem(f"The answer has more than {self._limit} characters; ask for less.", cut=True)
            self._state = _State.OVER
        return self._take()

    def finish(self) -> list[ParseEvent]:
        """The answer is complete. A block that is open now was cut short."""
        if self._state is _State.OVER:
            return []
        if self._buffer or self._carry:
            # The last line may lack its newline; as a line of its own it may still be a marker.
            self._buffer += self._carry + "\n"
            self._carry = ""
            self._run()
        if self._state is _State.ENDED:
            self._settle()
        if self._state is _State.FENCED and self._named is not None:
            self._problem(f"The answer ends before the text of {self._named}.", cut=True)
        elif self._state in {_State.SEARCH, _State.REPLACE, _State.WHOLE}:
            self._problem(
                f"The answer ends in the middle of a change to {self._path}.",
                cut=True,
                whole=self._state is _State.WHOLE,
            )
        self._state = _State.OVER
        return self._take()

    def _take(self) -> list[ParseEvent]:
        events, self._events = self._events, []
        return events

    def _run(self) -> None:
        while self._buffer and self._step():
            pass

    def _step(self) -> bool:
        """Consumes something from the buffer; False if it needs more."""
        match self._state:
            case _State.REPLACE:
                return self._in_replace()
            case _State.WHOLE:
                return self._in_whole()
            case _State.THINKING:
                return self._in_thinking()
            case _State.LONG_LINE:
                return self._in_long_line()
            case _State.OVER | _State.ENDED:
                return False
            case _:
                return self._in_lines()

    # Outside of blocks, and what a block looks for

    def _in_lines(self) -> bool:
        if self._state is _State.PROSE and (tag := markers.reasoning(self._buffer)):
            length, self._thought = tag
            self._consume(length)
            self._state = _State.THINKING
            return True
        end = self._buffer.find("\n", self._scanned)
        length = len(self._buffer) if end < 0 else end
        if length > MAX_LINE and self._state in {_State.PROSE, _State.EXAMPLE}:
            if self._state is _State.PROSE:
                self._named = self._mentioned = None
            self._back = self._state
            self._state = _State.LONG_LINE
            return True
        if end < 0:
            self._scanned = length
            return False
        line = self._consume(end + 1)[:-1]
        match self._state:
            case _State.PROSE:
                self._prose_line(line)
            case _State.FENCED | _State.FENCED_PATH:
                self._first_line(line)
            case _State.EXAMPLE:
                self._example_line(line)
            case _State.SEARCH:
                self._search_line(line)
            case _:
                if ends(line, self._opened):
                    self._state = _State.PROSE
                else:
                    self._events.append(ProseSkipped(line + "\n"))
        return True

    def _in_long_line(self) -> bool:
        end = self._buffer.find("\n")
        taken = self._consume(len(self._buffer) if end < 0 else end + 1)
        self._events.append(ProseSkipped(taken))
        if end >= 0:
            self._state = self._back
        return True

    def _in_thinking(self) -> bool:
        thought = self._thought.search(self._buffer)
        if thought:
            self._consume(thought.end())
            self._state = _State.PROSE
            return True
        # Only a tag that is still coming in has to be kept.
        keep = self._buffer.rfind("<", max(0, len(self._buffer) - markers.LONGEST_TAG))
        self._consume(keep if keep >= 0 else len(self._buffer))
        return False

    def _prose_line(self, line: str) -> None:
        if self._command(line):
            return
        if self._fence and closes(line, self._fence):
            self._fence = ""
            return
        if fence := markers.fence(line):
            self._fence, self._info = fence
            self._named = fence_path(self._info, self._known) or self._named
            self._blank = ""
            self._state = _State.FENCED
            return
        if (end := markers.stray_end(line)) is not None:
            self._retract(line[end:])
            return
        self._events.append(ProseSkipped(line + "\n"))
        if line.strip():
            self._named = line_path(line, self._known)
            self._mentioned = mentioned_path(line, self._known) or self._mentioned

    def _retract(self, rest: str) -> None:
        """All so far was reasoning, whose beginning some models do not mark."""
        self._events.append(Retracted())
        self._named = self._mentioned = self._last = None
        self._fence = ""
        if rest.strip():
            self._buffer = rest + "\n" + self._buffer
            self._scanned = 0

    def _command(self, line: str) -> bool:
        """Whether the line begins a hunk or is a change by itself; then it is done."""
        if opened := opening(line):
            self._open_hunk(opened)
            return True
        if not line.startswith("<<<<<"):
            return False
        if deleted := markers.deletion(line):
            if path := self._checked(deleted):
                self._events.append(FileDeleted(path))
            return True
        if renamed := markers.renaming(line):
            path, to = self._checked(renamed[0]), self._checked(renamed[1])
            if path and to:
                self._events.append(FileRenamed(path, to))
            return True
        return False

    def _open_hunk(self, opened: Opening) -> None:
        named = opened.path or self._named or self._mentioned or self._last
        self._named = self._mentioned = None
        self._opened = opened
        self._state = _State.SKIPPING
        if named is None:
            self._problem("A change names no file; it was left out.")
            return
        checked = self._checked(named)
        if checked is not None:
            self._path = self._last = checked
            self._search = []
            self._state = _State.SEARCH
            self._events.append(FileOpened(checked))

    def _checked(self, path: str) -> FilePath | None:
        try:
            return file_path(resolved(path, self._known))
        except InvalidPath as error:
            self._problem(f"A change to {path[:200]!r} was left out. {error.message}")
            return None

    # Fences

    def _first_line(self, line: str) -> None:
        if not line.strip():
            self._blank += line + "\n"
            return
        blank, self._blank = self._blank, ""
        self._state, state = _State.PROSE, self._state
        if self._command(line):
            self._held = None
        elif closes(line, self._fence) and state is _State.FENCED and self._named is None:
            self._fence = ""
        elif state is _State.FENCED_PATH:
            if self._held is not None:  # the path was named before the fence too, so this is a whole file
                self._open_whole(f"{self._held}\n{blank}{line}\n")
            else:
                self._state = _State.EXAMPLE
                self._example_line(line)
        elif self._named is not None:
            if line_path(line, self._known) == self._named:
                self._held = blank + line
                self._state = _State.FENCED_PATH
            else:
                self._open_whole(f"{blank}{line}\n")
        elif path := line_path(line, self._known):
            self._events.append(ProseSkipped(line + "\n"))
            self._named = path
            self._held = None
            self._state = _State.FENCED_PATH
        else:
            self._state = _State.EXAMPLE
            self._example_line(line)

    def _open_whole(self, text: str) -> None:
        """Begins a whole file with the text that was read to find that out."""
        named, self._named, self._mentioned, self._held = self._named, None, None, None
        self._buffer = text + self._buffer
        self._scanned = 0
        self._state = _State.EXAMPLE
        checked = self._checked(named or "")
        if checked is None:
            return
        if said := contradiction(self._info, checked, text.lstrip("\n").partition("\n")[0]):
            self._problem(f"What stands in the fence of {checked} {said}; it was left out.")
            return
        self._path = self._last = checked
        self._state = _State.WHOLE
        self._line_start = True
        self._depth = 0
        self._events.append(WholeFileOpened(checked))

    def _example_line(self, line: str) -> None:
        if closes(line, self._fence):
            self._fence = ""
            self._named = None
            self._state = _State.PROSE
        else:
            self._events.append(ProseSkipped(line + "\n"))

    def _in_whole(self) -> bool:
        end = self._buffer.find("\n")
        if self._line_start:
            line = self._buffer if end < 0 else self._buffer[:end]
            if end < 0 and (may_be_fence(line, self._fence) or may_be_marker(line)):
                return False
            if end >= 0 and begins(line):
                self._problem(
                    f"The whole text of {self._path} holds a block that replaces lines, so it is not certain "
                    "which of both is meant; it was left out."
                )
                self._state = _State.EXAMPLE
                return True
            if end >= 0 and len(line) <= MAX_MARKER and self._fence_line(line):
                self._consume(end + 1)
                return True
        self._events.append(FileText(self._consume(len(self._buffer) if end < 0 else end + 1)))
        self._line_start = end >= 0
        return True

    def _fence_line(self, line: str) -> bool:
        """Whether the line ends the file."""
        fence = markers.fence(line)
        if fence is None:
            return False
        if not closes(line, self._fence):
            # A fence inside of the file, such as in a README: its end is not the file's.
            if fence[0].startswith(self._fence):
                self._depth += 1
            return False
        if self._depth:
            self._depth -= 1
            return False
        if len(self._fence) == 3 and self._path.lower().endswith(_PROSE_FILES):
            self._state = _State.ENDED
        else:
            self._close_whole()
        return True

    def _close_whole(self) -> None:
        self._fence = ""
        self._events.append(FileClosed())
        self._state = _State.PROSE

    def _settle(self) -> None:
        """The rest of the answer is there: it tells whether a file with fences of its own has ended."""
        depth = 0
        for line in self._buffer.split("\n"):
            fence = markers.fence(line) if len(line) <= MAX_MARKER else None
            if fence is None:
                continue
            if not closes(line, self._fence):
                depth += fence[0].startswith(self._fence)
            elif depth:
                depth -= 1
            else:
                self._problem(
                    f"The text of {self._path} holds fences as short as the one around it, so it is not certain "
                    "where it ends; it was left out, with all that follows."
                )
                self._state = _State.PROSE
                return
        self._close_whole()
        self._run()
        if self._state is _State.ENDED:
            self._settle()

    # Blocks

    def _search_line(self, line: str) -> None:
        if divides(line, self._opened):
            self._events.append(SearchCompleted(self._path, "".join(self._search)))
            self._search = []
            self._line_start = True
            self._state = _State.REPLACE
        elif ends(line, self._opened) or opening(line):
            self._problem(f"A change to {self._path} has no '=======' line; it was left out.")
            self._state = _State.PROSE
            self._command(line)
        else:
            self._search.append(line + "\n")

    def _in_replace(self) -> bool:
        end = self._buffer.find("\n")
        if self._line_start:
            line = self._buffer if end < 0 else self._buffer[:end]
            if end < 0 and may_be_marker(line, self._opened):
                return False
            if end >= 0 and self._marker(line):
                self._consume(end + 1)
                return True
        self._events.append(ReplaceText(self._consume(len(self._buffer) if end < 0 else end + 1)))
        self._line_start = end >= 0
        return True

    def _marker(self, line: str) -> bool:
        """Whether the line ends the block, in whatever way."""
        if len(line) > MAX_MARKER:
            return False
        if ends(line, self._opened):
            self._events.append(HunkClosed())
            self._state = _State.PROSE
            return True
        if divides(line, self._opened):
            self._problem(
                f"A change to {self._path} has more than one '=======' line, so it is not certain "
                "which of them ends what to look for; it was left out."
            )
            self._state = _State.SKIPPING
            return True
        if begins(line, self._opened):
            self._problem(f"A change to {self._path} has no end; it was left out.")
            self._state = _State.PROSE
            self._named = self._path
            self._command(line)
            return True
        return False

    def _problem(self, reason: str, *, cut: bool = False, whole: bool = False) -> None:
        self._events.append(ParseProblem(reason, cut, whole))

    def _consume(self, length: int) -> str:
        taken, self._buffer = self._buffer[:length], self._buffer[length:]
        self._scanned = 0
        return taken
