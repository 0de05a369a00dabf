"""Keeps the formatting that a file has: how its lines are indented and end, its last newline, its byte order mark.

Text streams through, so a decision is made as soon as it can be, and what it needs is held back until then.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from collab.syntax.languages import language_of
from generation.indents import Style, indent, restyled, style_of

_BOM: Final = "\ufeff"
_PROOFS: Final = 3
"""Lines that must agree on how the text of a whole file is indented."""
_MOST_HELD: Final = 60
"""Lines that are held back for that."""
_UNITS: Final = (2, 3, 4, 8)
_AS_THEY_COME: Final = frozenset({"markdown", "yaml", "toml"})
"""Languages in which the indentation of a line says more than its level."""


class Formatter:
    """One replacement on its way into a file.

    ``newline`` and ``ended`` are how the lines end that are replaced, and whether the last one has a newline;
    ``first`` whether they begin the file, ``whole`` whether they are all of it.
    """

    def __init__(
        self,
        path: str,
        base: str,
        *,
        newline: str = "\n",
        ended: bool = True,
        first: bool = False,
        whole: bool = False,
    ) -> None:
        self._newline = newline
        self._ended = ended
        language = language_of(path)
        code = language is not None and language.name not in _AS_THEY_COME
        self._style = style_of(base) if code else None
        self._unit: int | None = None
        self._scale: Fraction | None = None
        self._leads = _leads(base) if whole and self._style is not None and not self._style.tabs else {}
        self._deciding = bool(self._leads)
        self._proofs: list[Fraction] = []
        self._lines: list[str] = []
        self._start = True
        self._bom = first and base.startswith(_BOM)
        self._first = first or not base
        self._text = ""
        self._held = ""

    def feed(self, text: str) -> str:
        """The next piece; returns what of it and of earlier ones can be written now."""
        if self._first and text:
            text = (_BOM if self._bom else "") + text.removeprefix(_BOM)
            self._first = False
        return self._ends(self._indented(text, last=False))

    def end(self) -> str:
        """All has come; returns what was held back. The last newline stays away where the file has none."""
        return self._ends(self._indented("", last=True))

    def _ends(self, text: str) -> str:
        if not self._ended:
            text = self._held + text
            self._held = "\n" if text.endswith("\n") else ""
            text = text[: len(text) - len(self._held)]
        return text.replace("\n", self._newline) if self._newline != "\n" else text

    def _indented(self, text: str, *, last: bool) -> str:
        if self._style is None:
            return text
        self._text += text
        if not self._deciding:
            return self._stream(self._style, last=last)
        *lines, self._text = self._text.split("\n")
        self._lines += lines
        for line in lines:
            self._weigh(line)
        if not last and len(self._proofs) < _PROOFS and len(self._lines) < _MOST_HELD:
            return ""
        self._deciding = False
        self._scale = self._ratio(self._style)
        self._text = "".join(f"{line}\n" for line in self._lines) + self._text
        self._lines = []
        return self._stream(self._style, last=last)

    def _ratio(self, style: Style) -> Fraction | None:
        """By how much to multiply the indentation of the text, if it is of another unit than the file."""
        now = style_of("\n".join(self._lines))
        if now is None or now.tabs or now.unit == style.unit or len(self._proofs) < 2:
            return None
        ratio = Fraction(style.unit, now.unit)
        return ratio if set(self._proofs) == {ratio} else None

    def _weigh(self, line: str) -> None:
        """Notes by how much a line is indented less or more than the same one of the file."""
        lead = indent(line)
        there = self._leads.get(line.strip())
        if there and lead and not lead.strip(" "):
            self._proofs.append(Fraction(len(there), len(lead)))

    def _stream(self, style: Style, *, last: bool) -> str:
        out = []
        while self._text:
            if self._start:
                lead = indent(self._text)
                if len(lead) == len(self._text) and not last:
                    break
                blank = self._text[len(lead) : len(lead) + 1] in {"", "\n"}
                out.append(lead if blank else self._lead(lead, style))
                self._text = self._text[len(lead) :]
                self._start = False
            end = self._text.find("\n")
            taken = len(self._text) if end < 0 else end + 1
            out.append(self._text[:taken])
            self._text = self._text[taken:]
            self._start = end >= 0
        return "".join(out)

    def _lead(self, lead: str, style: Style) -> str:
        if style.tabs:
            if len(lead) < 2 or lead.strip(" "):
                return lead
            if self._unit is None:
                self._unit = len(lead) if len(lead) in _UNITS else 4
            return restyled(lead, self._unit, style)
        if lead.startswith("\t"):
            return restyled(lead, 0, style)
        if self._scale is not None and lead:
            width = len(lead) * self._scale
            return " " * int(width) if width.denominator == 1 else lead
        return lead


def _leads(base: str) -> dict[str, str]:
    """The indentation of each line that is in the file only once."""
    leads: dict[str, str] = {}
    often = set()
    for line in base.split("\n"):
        text = line.strip()
        if text in leads:
            often.add(text)
        elif text and indent(line):
            leads[text] = indent(line)
    return {text: lead for text, lead in leads.items() if text not in often}
