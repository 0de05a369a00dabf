"""The fifth stage: what was written is checked, repaired once if it can be, and else offered instead."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field

from collab.ids import SuggestionId
from collab.merge.hunks import HunkId
from generation.amending import amendment
from generation.checks.checks import Checks
from generation.checks.finding import Finding
from generation.pipeline import AnswerWriter
from generation.repair import Repair, repaired
from generation.stages.post_process import Processed

HELD = "A check found a mistake:"
Patient = Callable[[Generator[None, None, list[Finding]]], Awaitable[list[Finding]]]
"""Runs the steps of a check to their end, letting others go between them."""
Mend = Callable[[list[Finding]], Awaitable[Repair | None]]
"""Asks the model once to repair what was found; None if that is not to be, or no answer came."""
Offered = Callable[[Sequence[SuggestionId]], str | None]
"""Why suggestions were made, if nobody has answered one of them and they collide with nothing; None else."""


@dataclass(frozen=True, slots=True)
class Integrated:
    """``findings`` say what is still wrong, ``problems`` what of the answer was left out.

    ``noted`` are suggestions that were made before it was known what is wrong with them, ``replaced`` those that
    give way to what the next pull suggests.
    """

    findings: tuple[Finding, ...]
    problems: tuple[str, ...]
    repaired: tuple[str, ...] = ()
    noted: dict[SuggestionId, list[str]] = field(default_factory=dict)
    replaced: tuple[SuggestionId, ...] = ()


async def integrate(
    processed: Processed, writer: AnswerWriter, checks: Checks, patient: Patient, mend: Mend, offered: Offered
) -> Integrated:
    """Checks what the answer makes of the files. The writer's next pull lands what comes of it.

    What people did meanwhile is not looked at: the resolver did that when each hunk landed.
    """
    found = await patient(checks.examine(writer.draft))
    wrong = [one for one in found if one.certain]
    settled: list[str] = []
    replaced: list[SuggestionId] = []
    mendable = [one for one in wrong if _standing(writer, one.path, offered) is not None]
    if mendable or writer.refused:
        mended = await mend(mendable)
        if mended is not None:
            settled, still, replaced = await _take(mended, writer, checks, patient, offered)
            found = [one for one in found if one.path in still or not one.certain]
            wrong = [one for one in wrong if one.path in still]
    noted = _hold_back(writer, checks, wrong)
    writer.release(settled)
    return Integrated(tuple(found), processed.problems, tuple(settled), noted, tuple(replaced))


async def _take(
    mended: Repair, writer: AnswerWriter, checks: Checks, patient: Patient, offered: Offered
) -> tuple[list[str], set[str], list[SuggestionId]]:
    """Puts what a repair made in the place of what was wrong, where that passes the checks.

    Returns the paths that it changed, those that are wrong still, and the suggestions that others replace.
    """
    results = mended.results()
    found = await patient(checks.examine(repaired(writer.draft, results)))
    still = {one.path for one in found if one.certain}
    taken: list[str] = []
    replaced: list[SuggestionId] = []
    for path, text in results.items():
        file = writer.draft.opened(path)
        asks = _standing(writer, path, offered)
        if asks is None:
            still.add(path)  # Somebody has answered meanwhile, so it stays as it is.
        if path in still or file is None or asks is None:
            continue
        change = amendment(file, text)
        replaced += writer.amend(file.path, change.withdrawn, change.edits, asks=asks)
        taken.append(path)
    return taken, still, replaced


def _standing(writer: AnswerWriter, path: str, offered: Offered) -> str | None:
    """Empty if a file's changes have landed; if all are offered, and it is open what people say, the reason.

    None for those that are for people to judge: something was answered, or collides with what somebody did.
    """
    file = writer.draft.opened(path)
    some = [writer.proposals.of.get(edit.hunk, []) for edit in file.edits] if file is not None else []
    if not any(some):
        return ""
    return offered([one for ids in some for one in ids]) if all(some) else None


def _hold_back(writer: AnswerWriter, checks: Checks, findings: Iterable[Finding]) -> dict[SuggestionId, list[str]]:
    """Recalls the hunks that are to blame; those that are suggestions already get what was found noted."""
    blamed: dict[HunkId, list[Finding]] = {}
    for finding in findings:
        file = writer.draft.opened(finding.path)
        for hunk in checks.culprits(file, finding.path, finding) if file is not None else ():
            blamed.setdefault(hunk, []).append(finding)
    noted: dict[SuggestionId, list[str]] = {}
    for hunk, some in blamed.items():
        words = [str(finding) for finding in some]
        if not writer.recall(hunk, f"{HELD} {words[0]}", words):
            for suggestion in writer.proposals.of.get(hunk, ()):
                noted[suggestion] = words
    return noted
