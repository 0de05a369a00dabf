"""Two insertions at one place, of which the text around it says which comes first."""

from __future__ import annotations

from collab.merge.three.lines import split


def placed(before: str, ours: str, theirs: str, after: str) -> str | None:
    """Both insertions of whole lines, in order, or None if nothing tells the order.

    What goes on with the paragraph above comes before what starts a paragraph of its own; what belongs to the
    line below, as a decorator does, comes after what ends with an empty line. The second begins no deeper than
    any line of the first, so that it is in no other block than it was written for. ``before`` and ``after`` are
    the texts around the place.
    """
    if not ours.endswith("\n") or not theirs.endswith("\n") or not ours.strip() or not theirs.strip():
        return None
    one, other = split(ours), split(theirs)
    orders: set[bool] = set()
    if _full(before[before.rstrip("\n").rfind("\n") + 1 :]) and not before.endswith("\n\n"):
        orders |= _told(_full(one[0]), _full(other[0]))
    if after and _full(after[: after.find("\n") + 1 or None]):
        orders |= _told(_full(other[-1]), _full(one[-1]))
    if len(orders) != 1:
        return None
    first, second = (one, other) if orders.pop() else (other, one)
    if _depth(next(filter(_full, second))) > min(map(_depth, filter(_full, first))):
        return None
    return "".join([*first, *second])


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def _told(ours_first: bool, theirs_first: bool) -> set[bool]:
    return {ours_first} if ours_first != theirs_first else set()


def _full(line: str) -> bool:
    return bool(line.strip())
