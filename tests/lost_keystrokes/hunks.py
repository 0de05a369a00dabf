"""What became of a job's hunks, and what people did to their lines, which is worked out here from ids alone."""

from __future__ import annotations

import re
from typing import Final, Literal

from collab.wire import IdRange
from tests.lost_keystrokes.answers import Region, Structural
from tests.lost_keystrokes.figures import Figures
from tests.lost_keystrokes.jobs import Bounds, JobRun, is_in
from tests.lost_keystrokes.order import Id, Order, orders
from tests.lost_keystrokes.record import Edit, Merge
from tests.lost_keystrokes.texts import WORD, lines_of
from tests.lost_keystrokes.world import World

Lines = Literal["clear", "near", "touched"]
_DEFINITION: Final = re.compile(r" *(?P<what>def|class) ")
_RANK: dict[Lines, int] = {"clear": 0, "near": 1, "touched": 2}


class _Area:
    """A region's place in the list of all units: the changed lines, and those around them."""

    def __init__(self, bounds: Bounds, order: Order) -> None:
        def at(unit: Id | None, otherwise: int) -> int:
            spot = order.spot(unit) if unit is not None else None
            return spot.at if spot is not None else otherwise

        self.before = at(bounds.before, -1)
        self.after = at(bounds.after, order.length)
        self.empty = bounds.first is None
        self.first = at(bounds.first, self.before)
        self.last = at(bounds.last, self.after)
        self.outer = (
            min(at(bounds.outer_first, -1), self.before),
            max(at(bounds.outer_last, order.length), self.after),
        )
        self.ended = bounds.ended


class Hunks:
    """Judges the hunks of one job of a world that was played."""

    def __init__(self, world: World, job: JobRun) -> None:
        self._world = world
        self._job = job
        self._orders = orders(world.live, job.files)
        self._spoiled = world.spoiled(job, by_job=True)
        self._texts = {file: world.live.text(file) for file in world.live.listing().files}
        self._machines = {job.client, *job.helpers}
        self._by_jobs: list[Merge] = []
        for other in world.jobs:
            if other is not job:
                self._by_jobs += other.merges

    def judge(self, figures: Figures) -> None:
        """Counts the job's hunks by what people did and what became of them."""
        for region in self._job.answer.regions:
            lines, fate = self._lines(region), self._fate(region)
            if fate == "gone":
                lines = "touched"
            elif fate == "invisible" and (lines == "jobs" or self._taken_since(region)):
                fate = (
                    "gone"  # The other job took back what it had written, and with it what this one did to that.
                )
            figures.hunks[f"{lines} {fate}"] += 1
            where = f"job {self._job.number}, {region.form} in {region.path}, {region.first}-{region.last}"
            if fate in {"invisible", "left behind"}:
                figures.problems.append((self._world.seed, f"{lines} {fate}: {where}"))
            elif lines == "clear" and fate != "merged":
                figures.late.append((self._world.seed, f"{lines} {fate}: {where}"))
        for structural in self._job.answer.structural:
            if structural.told > self._job.fed:
                continue
            kind = "rename_file" if structural.to else "delete_file"
            if any(one.kind == kind and one.file == structural.file for one in self._job.suggestions):
                figures.structural["asked"] += 1
            elif structural.to and self._renamed(structural):
                figures.structural["renamed"] += 1
            else:
                figures.problems.append((self._world.seed, f"{kind} of {structural.path} was not shown"))

    def _lines(self, region: Region) -> str:
        job = self._job
        if region not in job.closed:
            return "void"
        if job.asks(region):
            return "asked"
        if region.file is None:
            return self._lines_of_new(region)
        order = self._orders.get(region.file)
        if order is None:
            return "touched"
        area = _Area(job.bounds[region], order)
        landed = job.landed.get(region, job.ended)
        closed = max(landed, job.closed[region])
        worst: Lines = "clear"
        for edit in self._world.edits:
            if edit.file == region.file and job.began < edit.arrived <= closed:
                found: Lines = "touched" if edit.structural else self._touch(area, order, edit)
                if found == "touched" and edit.arrived > landed:
                    found = "near"
                worst = max(worst, found, key=_RANK.__getitem__)
        if self._symbol_changed(region):
            return "touched"
        for merge in (*self._world.choices, *self._by_jobs):
            if job.began < merge.step <= closed:
                if region.file in merge.entries:
                    return "touched"
                for ids in (*merge.inserted, *merge.deleted):
                    found = self._inside(area, order, ids)
                    if found == "touched" and merge in self._by_jobs:
                        return "jobs"
                    worst = max(worst, found, key=_RANK.__getitem__)
        return worst

    def _taken_since(self, region: Region) -> bool:
        """Whether another job has deleted something in or beside a region's lines since it landed."""
        order = self._orders.get(region.file) if region.file is not None else None
        if order is None:
            return False
        area, landed = _Area(self._job.bounds[region], order), self._job.landed.get(region, self._job.ended)
        return any(
            self._inside(area, order, ids) != "clear"
            for merge in self._by_jobs
            if merge.step > landed
            for ids in merge.deleted
        )

    def _symbol_changed(self, region: Region) -> bool:
        """Whether somebody changed the name of a function or class that the region is in, or takes a part of."""
        lines = lines_of(self._job.base[region.file].text) if region.file is not None else []
        above: dict[str, str] = {}
        for line in lines[: region.outer[0]]:
            found = _DEFINITION.match(line)
            if found:
                above[found["what"]] = line
        named = [*above.values(), *filter(_DEFINITION.match, lines[slice(*region.outer)])]
        return bool(self._spoiled.intersection(WORD.findall("".join(named))))

    def _renamed(self, structural: Structural) -> bool:
        """Whether a file has the path that the job gave it, or one that somebody gave it afterwards."""
        file = self._world.live.listing().files.get(structural.file)
        later = any(edit.structural and edit.file == structural.file for edit in self._world.edits)
        return later or file is None or file.path == structural.to

    def _lines_of_new(self, region: Region) -> Lines:
        job = self._job
        landed = job.landed.get(region, job.ended)
        for edit in self._world.edits:
            if edit.file.startswith(f"n{job.number}x") and edit.arrived <= max(landed, job.closed[region]):
                return "touched" if edit.arrived <= landed else "near"
        same = [file for file in self._world.live.listing().files.values() if file.path == region.path]
        return "touched" if any(not file.id.startswith(f"n{job.number}x") for file in same) else "clear"

    def _touch(self, area: _Area, order: Order, edit: Edit) -> Lines:
        worst: Lines = "clear"
        for ids in edit.deleted:
            worst = max(worst, self._inside(area, order, ids), key=_RANK.__getitem__)
        if edit.inserted is None:
            return worst
        spot = order.spot((edit.inserted.client, edit.inserted.clock))
        if spot is None or not area.outer[0] <= spot.at <= area.outer[1]:
            return worst
        if not area.before < spot.at < area.after:
            return max(worst, "near", key=_RANK.__getitem__)
        in_text_of_job = all(unit is not None and unit[0] in self._machines for unit in (edit.left, edit.right))
        if area.empty or in_text_of_job or area.first < spot.at < area.last:
            return "touched"
        whole = edit.text.endswith("\n") if spot.at < area.first else area.ended
        return max(worst, "near", key=_RANK.__getitem__) if whole else "touched"

    def _inside(self, area: _Area, order: Order, ids: IdRange) -> Lines:
        """Where ids are that came or went."""
        worst: Lines = "clear"
        for first, last in order.places(ids):
            if first <= area.last and last >= area.first and not area.empty:
                return "touched"
            if ids.client in self._machines and area.before < last and first < area.after:
                return "touched"
            if first <= area.outer[1] and last >= area.outer[0]:
                worst = "near"
        return worst

    def _fate(self, region: Region) -> str:
        job = self._job
        covered = any(
            _covers(one.before, one.after, region)
            for one in job.suggestions
            if one.state != "merged" and one.kind not in {"delete_file", "rename_file"}
        )
        file = job.file_of(region)
        if region not in job.closed:
            if file is None or covered:
                return "withdrawn"
            text = self._texts[file]
            added = any(word in text for word in region.added - self._spoiled)
            taken = any(word not in text for word in region.removed - self._spoiled)
            return "left behind" if added or taken else "withdrawn"
        if covered:
            return "suggested"
        if file is None:
            return "gone" if self._gone(region) else "invisible"
        if is_in(region, self._texts[file], self._spoiled):
            return "left behind" if job.asks(region) else "merged"
        return "gone" if self._on_text_that_went(region) else "invisible"

    def _on_text_that_went(self, region: Region) -> bool:
        """Whether the region changes text of another job that was broken off, or took that back."""
        lines = lines_of(self._job.base[region.file].text) if region.file is not None else []
        there = set(WORD.findall("".join(lines[slice(*region.outer)])))
        text = "".join(self._texts.values())
        return any(
            there & other.added and (job.cut or not any(word in text for word in there & other.added))
            for job in self._world.jobs
            if job is not self._job
            for other in job.answer.regions
        )

    def _gone(self, region: Region) -> bool:
        """Whether somebody deleted the file of a region."""
        if region.file is not None:
            return region.file in self._world.deleted_files
        return any(file.startswith(f"n{self._job.number}x") for file in self._world.deleted_files)


def _covers(before: str, after: str, region: Region) -> bool:
    """Whether a suggestion shows a region, or a part of it."""
    return any(word in after for word in region.added) or any(word in before for word in region.removed)
