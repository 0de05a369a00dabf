"""Turns a replacement text that streams in into minimal changes of the text that it replaces.

Lines that are the same in both are never touched, so that what people type in them meanwhile is neither
touched nor displaced. Decisions are made line by line as the new lines become complete, and are never taken
back: what was inserted stays, and the result is exactly the new text.

All offsets are those of the old text. Text that goes on where the last change ended is a change of its own, an
insertion at the same offset.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

Change = tuple[int, int, str]
"""Start, end and replacement, in code points of the text before."""

_SIMILAR: Final = 0.6
_NEAR_LINES: Final = 64
"""How far ahead any telling line is looked for; farther only a line that occurs once."""
_AT_ONCE: Final = 12
"""A line that occurs once is taken for itself at once if it is not farther ahead, and long enough."""
_SAYS: Final = 20
"""Characters of a line that is hardly written a second time by chance."""
_MOST_LINES: Final = 8
"""New lines that it takes at most to be sure that the old text goes on at a place farther on."""
_LONG_LINE: Final = 2_000
_TOKEN: Final = re.compile(r"\w+|\s+|.", re.DOTALL)


@dataclass(slots=True)
class _Batch:
    """The changes of one call. ``at`` is where the old text goes on."""

    at: int
    changes: list[Change]

    def insert(self, text: str) -> None:
        if self.changes and self.changes[-1][1] == self.at:
            start, end, before = self.changes[-1]
            self.changes[-1] = (start, end, before + text)
        elif text:
            self.changes.append((self.at, self.at, text))

    def delete(self, length: int) -> None:
        if self.changes and self.changes[-1][1] == self.at:
            start, _, text = self.changes[-1]
            self.changes[-1] = (start, self.at + length, text)
        elif length:
            self.changes.append((self.at, self.at + length, ""))
        self.at += length


class Aligner:
    """Aligns one replacement. The old text before ``at`` is dealt with: the next change comes there or later."""

    def __init__(self, old: str) -> None:
        self.at = 0
        self._old = split_lines(old)
        self._next = 0
        self._rest = Counter(self._old)
        self._lines: list[str] = []
        self._partial = ""

    def feed(self, text: str, *, last: bool = False) -> list[Change]:
        """The changes that the next piece of the new text brings, in the order of the text.

        With ``last`` the new text ends here, and what is left of the old text goes.
        """
        *lines, self._partial = (self._partial + text).split("\n")
        self._lines += [line + "\n" for line in lines]
        if last and self._partial:
            self._lines.append(self._partial)
            self._partial = ""
        batch = _Batch(self.at, [])
        self._align(batch, closing=last)
        if last:
            self._skip(batch, len(self._old))
        elif self._next == len(self._old):
            batch.insert(self._partial)
            self._partial = ""
        self.at = batch.at
        return batch.changes

    def _align(self, batch: _Batch, *, closing: bool) -> None:
        done = 0
        lines = self._lines
        while done < len(lines):
            line = lines[done]
            if self._next == len(self._old):
                batch.insert(line)
                done += 1
                continue
            old = self._old[self._next]
            if line != old:
                found = self._find(line)
                if found is not None:
                    sure = self._sure(lines[done : done + _MOST_LINES], found, closing=closing)
                    if sure is None:
                        break
                    found = found if sure else None
                alike = found is None and _alike(line, old)
                if found is None and not alike:
                    batch.insert(line)
                    done += 1
                    continue
                # The old line may follow unchanged, so that this one is new: the next line tells.
                if (alike or not _telling(line)) and done + 1 == len(lines) and not closing:
                    break
                if (found is None or _telling(old)) and old in lines[done + 1 : done + 4]:
                    batch.insert(line)
                    done += 1
                    continue
                if found is not None:
                    self._skip(batch, found)
                else:
                    _edit(batch, old, line)
                    self._pass()
                    done += 1
                    continue
            batch.at += len(line)
            self._pass()
            done += 1
        del lines[:done]

    def _pass(self) -> None:
        self._rest[self._old[self._next]] -= 1
        self._next += 1

    def _skip(self, batch: _Batch, until: int) -> None:
        while self._next < until:
            batch.delete(len(self._old[self._next]))
            self._pass()

    def _find(self, line: str) -> int | None:
        """Where the new line stands unchanged farther on in the old text."""
        count = self._rest[line]
        if not count:
            return None
        if _telling(line):
            near = len(self._old) if count == 1 and len(line.strip()) >= 8 else self._next + 1 + _NEAR_LINES
        else:
            near = self._next + 3
        try:
            return self._old.index(line, self._next + 1, near)
        except ValueError:
            return None

    def _sure(self, lines: list[str], found: int, *, closing: bool) -> bool | None:
        """Whether the old text goes on at ``found`` with these new lines; None if more of them must come first.

        All before that place would go, so a line such as ``else:``, which may as well be new, is not enough.
        """
        far = found - self._next
        once = self._rest[lines[0]] == 1
        said = len(lines[0].strip())
        says = once and said >= _SAYS
        if far <= (_AT_ONCE if says else 3 if once else 0):
            return True
        offset = 1
        while offset < (2 if once or far <= 3 else 3) or said < _SAYS:
            if found + offset == len(self._old) or offset == _MOST_LINES:
                return True
            if offset == len(lines):
                return True if closing else None
            old = self._old[found + offset]
            if lines[offset] != old and not (says and _alike(lines[offset], old)):
                return False
            said += len(old.strip())
            offset += 1
        return True


def changes_between(old: str, new: str) -> list[Change]:
    """Minimal changes that make ``new`` of ``old``, both known whole."""
    return Aligner(old).feed(new, last=True)


def growth(changes: list[Change]) -> int:
    """By how many code points the changes make the text longer."""
    return sum(len(text) - (end - start) for start, end, text in changes)


def split_lines(text: str) -> list[str]:
    """The lines of a text with their ``\\n``; no other character ends a line."""
    lines = [line + "\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    if not lines[-1]:
        lines.pop()
    return lines


def _telling(line: str) -> bool:
    """Whether a line says enough to be recognised: not blank, not only brackets."""
    return sum(char.isalnum() for char in line[:200]) >= 3


def _alike(one: str, other: str) -> bool:
    one, other = one.strip(), other.strip()
    if not one or not other:
        return False
    if max(len(one), len(other)) > _LONG_LINE:
        head, tail = _common(one, other)
        return (head + tail) * 2 > _SIMILAR * (len(one) + len(other))
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    return (
        matcher.real_quick_ratio() > _SIMILAR and matcher.quick_ratio() > _SIMILAR and matcher.ratio() > _SIMILAR
    )


def _edit(batch: _Batch, old: str, new: str) -> None:
    """Changes within a line, token by token, each trimmed to the characters that differ."""
    if max(len(old), len(new)) > _LONG_LINE:
        _replace(batch, old, new)
        return
    before, after = _TOKEN.findall(old), _TOKEN.findall(new)
    for tag, i, j, k, m in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            batch.at += sum(map(len, before[i:j]))
        else:
            _replace(batch, "".join(before[i:j]), "".join(after[k:m]))


def _replace(batch: _Batch, old: str, new: str) -> None:
    head, tail = _common(old, new)
    batch.at += head
    batch.delete(len(old) - head - tail)
    batch.insert(new[head : len(new) - tail])
    batch.at += tail


def _common(one: str, other: str) -> tuple[int, int]:
    """Lengths of the common head and of the common tail of what is left."""
    most = min(len(one), len(other))
    head = next((i for i in range(most) if one[i] != other[i]), most)
    most -= head
    tail = next((i for i in range(most) if one[-1 - i] != other[-1 - i]), most)
    return head, tail
