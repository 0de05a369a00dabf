"""One file on its way from the base that a job was shown to what it is in the job's fork now."""

from __future__ import annotations

from collections.abc import Callable

from collab.merge.aligner import Change
from collab.merge.parts import Part, PartState
from collab.merge.pieces import Pieces


class Track:
    """Knows where the base's lines stand in the fork, who touched them, and where the job's parts are.

    ``text`` is the fork's text as it is now; whoever changes that calls ``follow`` with what was changed.
    """

    def __init__(self, base: str) -> None:
        self.base = base
        self.text = base
        self.parts: list[Part] = []
        self._pieces = Pieces(len(base))

    @property
    def changed(self) -> bool:
        """Whether anybody but the job has changed the file since the base."""
        return self._pieces.changed

    def follow(self, changes: list[Change], text: str, writer: Part | None) -> None:
        """The fork's text became ``text`` by these changes (offsets before all of them), which ``writer`` made, or
        somebody else.
        """
        for start, end, insert in sorted(changes, reverse=True):
            self._pieces.replace(start, end, len(insert), writer)
        self._moved(changes, text, writer)

    def taken_back(
        self, part: Part, changes: list[Change], text: str, segments: Callable[[], list[tuple[str, bool]]]
    ) -> None:
        """What a part had written was taken back by these changes: its lines of the base are there again.

        ``segments`` tells of the text piece by piece what it is and whether that is of the base.
        """
        self._moved(changes, text, part)
        part.written = False
        self._pieces.revive(part)
        if not self._pieces.stands(self.base, text):
            # A line end stays where somebody typed in a line that went. What stands where is looked up anew then,
            # and all that is not of the base counts as somebody else's.
            self._pieces = Pieces.of(self.base, segments())

    def _moved(self, changes: list[Change], text: str, writer: Part | None) -> None:
        self.text = text
        order = writer.order if writer is not None else None
        for part in self.parts:
            if part is not writer:
                part.follow(changes, order)

    def collides(self, start: int, end: int) -> bool:
        """Whether somebody touched the base's lines from ``start`` to ``end``, or typed in one of them."""
        if start == end:
            return self._between(start) is None
        if self._pieces.touched(start, end) or self._typed_before(start):
            return True
        if end == len(self.base) and end > start and not self.base.endswith("\n"):
            first, last = self._pieces.inserted_at(end)
            return first < last
        return False

    def disturbs(self, changes: list[Change]) -> bool:
        """Whether changes of the fork's text would delete or part what somebody typed since the base."""
        for start, end, insert in changes:
            if end > start and self._pieces.typed(start, end):
                return True
            for place in {start, end} if insert else set():
                first, last = self._pieces.typed_around(place)
                if first < place < last:
                    return True
        return False

    def region(self, start: int, end: int) -> tuple[int, int]:
        """Where the base's lines from ``start`` to ``end`` stand in the fork, with what was typed in them."""
        pieces = self._pieces
        first = self._begin(start)
        last = pieces.behind(end)
        if end == len(self.base) and end > start and not self.base.endswith("\n"):
            last = len(self.text)
        return first, max(first, last)

    def begin(self, part: Part) -> None:
        """Finds the place of a part that begins to be written."""
        at = self._begin(part.base_start)
        if part.base_start == part.base_end:
            between = self._between(part.base_start)
            at = at if between is None else between
        for other in self.parts:
            if other is part or not other.written:
                continue
            if other.order < part.order:
                if other.base_end == part.base_start:
                    at = max(at, other.end)
            elif other.base_start == part.base_start:
                at = min(at, other.start)
        part.start = part.line = part.end = at
        part.written = True

    def extend(self, part: Part, covered: int, upto: int) -> None:
        """The part reaches from the base's offset ``covered`` to ``upto`` now; nobody touched these lines."""
        if upto > covered:
            part.end = self._pieces.behind(upto)

    def place(self, offset: int) -> int:
        """Where the base's character at ``offset`` stands, which nobody has deleted."""
        return self._pieces.place(offset)

    def settle(self, part: Part, *, complete: bool) -> None:
        """Looks where the line begins that the part is writing."""
        if complete:
            part.line = part.end
        else:
            part.line = max(part.start, self.text.rfind("\n", part.start, part.end) + 1)

    def written(self, part: Part) -> str:
        """The lines of the base for which the part stands, as the fork has them."""
        return self.text[part.start : part.end]

    def without(self, parts: list[Part]) -> str:
        """The fork's text as it would be without what these parts wrote."""
        text = self.text
        for part in sorted(parts, key=lambda part: part.start, reverse=True):
            if part.written and part.state in {PartState.OPEN, PartState.LANDED}:
                text = text[: part.start] + self.base[part.base_start : part.base_end] + text[part.end :]
        return text

    def _between(self, start: int) -> int | None:
        """Where lines can be inserted without parting what somebody typed in one go; None if they cannot.

        They go before what was typed at the start of the next line.
        """
        at = self._begin(start)
        first, last = self._pieces.typed_around(at)
        if not first < at < last:
            return at
        if first == 0 or self.text[first - 1] == "\n":
            return first
        return last if self.text[last - 1] == "\n" else None

    def _begin(self, start: int) -> int:
        return self._pieces.inserted_at(start)[0] if self._typed_before(start) else self._pieces.place(start)

    def _typed_before(self, start: int) -> bool:
        """Whether somebody typed at the start of the line, rather than lines before it."""
        first, last = self._pieces.inserted_at(start)
        return first < last and not self.text[first:last].endswith("\n")
