"""Which of a file's base text stands where by now, and what was put in between.

A job answers with changes of the text that it was shown, the base. People, and the job itself, change that
text meanwhile. This keeps, in the order of the text, what is left of the base, what of it is gone and by whom, and
what was inserted; so an offset of the base can be found again, and it can be told whether somebody touched a range
of it. All offsets are code points.
"""

from __future__ import annotations

from dataclasses import dataclass

Owner = object | None
"""Who made a change: a part of the job's answer, or None for everybody else."""


@dataclass(slots=True, eq=False)
class _Piece:
    """``base`` is where the piece begins in the base, -1 for inserted text. ``owner`` is who inserted it, or whose
    deletion made it ``gone``; no other base text has one.
    """

    length: int
    base: int = -1
    gone: bool = False
    owner: Owner = None

    @property
    def visible(self) -> int:
        return 0 if self.gone else self.length


class Pieces:
    """One file. ``length`` is that of the base at first, and follows the text."""

    def __init__(self, length: int) -> None:
        self.length = length
        self.changed = False
        """Whether anybody but the job has changed the text."""
        self._pieces = [_Piece(length, 0)] if length else []

    @classmethod
    def of(cls, base: str, segments: list[tuple[str, bool]]) -> Pieces:
        """From the segments of a text, in order: what stands there, and whether that is of the base."""
        pieces = cls(0)
        pieces.changed = True
        at = 0
        for text, is_base in segments:
            found = base.find(text, at) if is_base else -1
            if found < 0:
                pieces._pieces.append(_Piece(len(text)))
            else:
                if found > at:
                    pieces._pieces.append(_Piece(found - at, at, gone=True))
                pieces._pieces.append(_Piece(len(text), found))
                at = found + len(text)
            pieces.length += len(text)
        if at < len(base):
            pieces._pieces.append(_Piece(len(base) - at, at, gone=True))
        pieces._join()
        return pieces

    def replace(self, start: int, end: int, inserted: int, owner: Owner) -> None:
        """Follows one change of the text as it is now: ``start`` to ``end`` became ``inserted`` code points."""
        if owner is None and (end > start or inserted):
            self.changed = True
        index = self._cut(start)
        at = index
        left = end - start
        while left:
            piece = self._pieces[at]
            if piece.gone:
                at += 1
                continue
            if piece.length > left:
                self._split(at, left)
            left -= piece.length
            if piece.base < 0:
                del self._pieces[at]
            else:
                piece.gone, piece.owner = True, owner
                at += 1
        if inserted:
            before = self._pieces[index - 1] if index else None
            if before is not None and before.base < 0 and before.owner is owner:
                before.length += inserted
            else:
                self._pieces.insert(index, _Piece(inserted, owner=owner))
        self.length += inserted - (end - start)

    def place(self, offset: int) -> int:
        """Where the base's character at ``offset`` stands, or would stand; behind what was inserted before it."""
        visible = 0
        for piece in self._pieces:
            if piece.base >= 0 and offset < piece.base + piece.length:
                return visible + (0 if piece.gone else max(0, offset - piece.base))
            visible += piece.visible
        return visible

    def behind(self, offset: int) -> int:
        """Right behind the base's character before ``offset``; before what was inserted there."""
        if offset == 0:
            return 0
        visible = 0
        for piece in self._pieces:
            if piece.base >= 0 and offset <= piece.base + piece.length:
                return visible + (0 if piece.gone else offset - piece.base)
            visible += piece.visible
        return visible

    def touched(self, start: int, end: int) -> bool:
        """Whether somebody else deleted from the base's range, or inserted something within it."""
        inside = False
        for piece in self._pieces:
            if piece.base < 0:
                if inside and piece.owner is None:
                    return True
                continue
            if piece.base >= end:
                break
            upto = piece.base + piece.length
            if upto <= start:
                continue
            if piece.gone and piece.owner is None:
                return True
            inside = upto < end
        return False

    def inserted_at(self, offset: int) -> tuple[int, int]:
        """The range of what others inserted right before the base's character at ``offset``; empty if nothing."""
        start, end = self.behind(offset), self.place(offset)
        visible = 0
        first = last = start
        found = False
        for piece in self._pieces:
            if start <= visible and visible + piece.visible <= end and piece.base < 0 and piece.owner is None:
                first = first if found else visible
                last = visible + piece.length
                found = True
            visible += piece.visible
        return (first, last) if found else (end, end)

    def typed(self, start: int, end: int) -> bool:
        """Whether others inserted some of the text from ``start`` to ``end``."""
        visible = 0
        for piece in self._pieces:
            stop = visible + piece.visible
            if piece.base < 0 and piece.owner is None and visible < end and start < stop:
                return True
            visible = stop
        return False

    def typed_around(self, place: int) -> tuple[int, int]:
        """What others inserted without a break before and behind a place of the text; empty if nothing."""
        visible = 0
        start = end = place
        inside = False
        for piece in self._pieces:
            if not piece.visible:
                continue
            stop = visible + piece.visible
            if piece.base < 0 and piece.owner is None:
                start = start if inside else visible
                inside = True
                if stop >= place:
                    end = stop
            else:
                if visible >= place:
                    break
                inside = False
            visible = stop
        return (start, end) if start <= place <= end and start < end else (place, place)

    def revive(self, owner: Owner) -> None:
        """What this owner inserted is gone again, and what it deleted is back."""
        kept = []
        for piece in self._pieces:
            if piece.base < 0 and piece.owner is owner:
                self.length -= piece.length
                continue
            if piece.gone and piece.owner is owner:
                piece.gone, piece.owner = False, None
                self.length += piece.length
            kept.append(piece)
        self._pieces = kept
        self._join()

    def stands(self, base: str, text: str) -> bool:
        """Whether what is left of ``base`` stands in ``text`` where this says."""
        if self.length != len(text):
            return False
        visible = 0
        for piece in self._pieces:
            if piece.base >= 0 and not piece.gone:
                here = text[visible : visible + piece.length]
                if here != base[piece.base : piece.base + piece.length]:
                    return False
            visible += piece.visible
        return True

    def _cut(self, offset: int) -> int:
        """Makes a piece begin at this place of the text; its index, before any that is gone there."""
        visible = 0
        for index, piece in enumerate(self._pieces):
            if visible == offset:
                return index
            if visible < offset < visible + piece.visible:
                self._split(index, offset - visible)
                return index + 1
            visible += piece.visible
        return len(self._pieces)

    def _split(self, index: int, length: int) -> None:
        piece = self._pieces[index]
        base = piece.base + length if piece.base >= 0 else -1
        self._pieces.insert(index + 1, _Piece(piece.length - length, base, piece.gone, piece.owner))
        piece.length = length

    def _join(self) -> None:
        joined: list[_Piece] = []
        for piece in self._pieces:
            last = joined[-1] if joined else None
            if (
                last is not None
                and last.owner is piece.owner
                and last.gone == piece.gone
                and (last.base < 0) == (piece.base < 0)
                and (piece.base < 0 or last.base + last.length == piece.base)
            ):
                last.length += piece.length
            else:
                joined.append(piece)
        self._pieces = joined
