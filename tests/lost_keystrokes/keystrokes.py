"""Whether everything that people typed is there, in one piece and where they typed it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from collab.merge.ranges import IdRanges
from collab.wire import IdRange
from tests.lost_keystrokes.figures import Figures
from tests.lost_keystrokes.order import Id, Order, Spot, orders
from tests.lost_keystrokes.record import Edit
from tests.lost_keystrokes.world import World


class Keystrokes:
    """A world's typed text as it stands now, after everything has arrived."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._orders = orders(world.live, world.live.listing().files)
        self._by_people = IdRanges(ids for edit in world.edits for ids in edit.deleted)
        self._by_choice = IdRanges(ids for choice in world.choices for ids in choice.deleted)
        self._by_job = [IdRanges(ids for merge in job.merges for ids in merge.deleted) for job in world.jobs]
        # What was put back stands under new ids; the ledgers tell which, and the order checks where.
        self._copies: list[tuple[IdRange, Id]] = []
        for job in world.jobs:
            for copy in job.writer.session.ledger.copies:
                clock = copy.ids.clock
                for of in copy.of:
                    self._copies.append((of, (copy.ids.client, clock)))
                    clock += of.length

    def lost(self) -> IdRanges:
        """Typed text that is gone although nobody deleted it and no job was shown it."""
        world = self._world
        typed = IdRanges(edit.inserted for edit in world.edits if edit.inserted and self._kept(edit))
        alive = IdRanges(run.ids for order in self._orders.values() for run in order.runs if run.alive)
        shown = [
            IdRanges(IdRange(client, 0, clock) for client, clock in job.base_state.items()) & deleted
            for job, deleted in zip(world.jobs, self._by_job, strict=True)
        ]
        rest = typed - alive - self._by_people - self._by_choice
        for some in shown:
            rest = rest - some
        for copy in reversed(world.put_back):
            # Where the copy is, or whoever deleted that, the text has not been lost.
            gone = (IdRanges([copy.ids]) - alive - self._by_people - self._by_choice).ranges()
            [of] = copy.of
            there = IdRanges([of]) - IdRanges(
                IdRange(of.client, of.clock + ids.clock - copy.ids.clock, ids.length) for ids in gone
            )
            rest = rest - there
        return rest

    def judge(self, figures: Figures) -> None:
        """Counts what was lost, split and displaced."""
        world = self._world
        figures.edits += len(world.edits)
        figures.typed += sum(edit.inserted.length for edit in world.edits if edit.inserted)
        lost = self.lost()
        figures.lost += len(lost)
        away = IdRanges(edit.inserted for edit in world.edits if edit.inserted and not self._kept(edit))
        figures.with_files += len(away - self._by_people)
        if lost:
            figures.problems.append((world.seed, f"lost: {lost.ranges()[:5]}"))
        for edit in world.edits:
            order = self._orders.get(edit.file)
            if edit.inserted is None or order is None:
                continue
            if self._split(edit.inserted, order):
                figures.split += 1
                figures.problems.append((world.seed, f"split: {edit.text!r} {edit.inserted}"))
            standing = list(order.standing(edit.inserted))
            if not standing:
                continue
            first = min(at for _, _, at in standing)
            last = max(at + length - 1 for _, length, at in standing)
            figures.placed += 1
            why = self._displaced(edit, edit.inserted, order, first, last)
            if why:
                figures.displaced[why] += 1
                figures.late.append((world.seed, f"displaced ({why}): {edit.text!r} {edit.inserted}"))

    def _kept(self, edit: Edit) -> bool:
        """Whether the file of an edit was not deleted by somebody."""
        return edit.file not in self._world.deleted_files

    def _split(self, ids: IdRange, order: Order) -> bool:
        """Whether a job that was not shown the text has put something between two neighbours of it."""
        pieces = sorted(order.standing(ids))
        for (clock, length, at), (next_clock, _, next_at) in pairwise(pieces):
            if next_clock != clock + length:
                continue  # Somebody has deleted what was between them.
            if next_at < at:
                return True
            for part in order.between(at + length - 1, next_at):
                for job in self._world.jobs:
                    if part.client in {job.client, *job.helpers} and not job.saw(ids):
                        return True
        return False

    def _displaced(self, edit: Edit, ids: IdRange, order: Order, first: int, last: int) -> str | None:
        """Why an insert is not between the characters any more between which it was typed; None if it is."""
        left = self._side(edit.left, ids, order, lambda at: at < first)
        right = self._side(edit.right, ids, order, lambda at: at > last)
        if left and not right and edit.left_char == "\n" and order.neighbour(first, -1) in {"", "\n"}:
            return None  # It still begins its line, in front of what it was typed in front of.
        if right and not left and edit.right_char in {"\r", "\n"} and order.neighbour(last, 1) in {"", "\r", "\n"}:
            return None
        return left or right

    def _side(self, unit: Id | None, ids: IdRange, order: Order, beside: Callable[[int], bool]) -> str | None:
        """What became of a neighbour; None if it stands where it should, or went away by somebody's choice."""
        if unit is None:
            return None
        spot = order.spot(unit)
        if spot is not None and spot.alive:
            return None if beside(spot.at) else "moved"
        one = IdRanges([IdRange(unit[0], unit[1], 1)])
        if one & self._by_people or one & self._by_choice:
            return None
        copy = self._copy(unit, order)
        if copy is not None:
            return None if beside(copy.at) else "put back elsewhere"
        why = "unknown"
        for job, deleted in zip(self._world.jobs, self._by_job, strict=True):
            if one & deleted:
                machine = unit[0] in {job.client, *job.helpers}
                if job.saw(ids) or (machine and job.cut == "cancelled"):
                    return None
                why = (
                    "beside text of the AI that was taken back" if machine else "beside text that the AI replaced"
                )
        return why

    def _copy(self, unit: Id, order: Order) -> Spot | None:
        """Where a unit stands that was deleted and put back under another id."""
        for _ in range(20):
            found = next(
                (
                    (copy[0], copy[1] + unit[1] - of.clock)
                    for of, copy in self._copies
                    if of.client == unit[0] and of.clock <= unit[1] < of.clock + of.length
                ),
                None,
            )
            if found is None:
                return None
            unit = found
            spot = order.spot(unit)
            if spot is not None and spot.alive:
                return spot
        return None
