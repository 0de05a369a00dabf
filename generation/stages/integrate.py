"""The fifth stage: what was written is checked as it now stands in the room."""

from __future__ import annotations

from dataclasses import dataclass

from collab.document import Document
from generation.stages.post_process import Processed
from generation.validation import problem


@dataclass(frozen=True, slots=True)
class Integrated:
    """``findings`` say what is wrong with the files as they are, ``problems`` what of the answer was left out."""

    findings: tuple[str, ...]
    problems: tuple[str, ...]


def integrate(processed: Processed, live: Document) -> Integrated:
    """Checks each file that the answer has changed, with what people did to it meanwhile."""
    listing = live.listing()
    files = [(path, listing.by_path(path)) for path in processed.paths]
    found = [problem(path, live.text(file.id)) for path, file in files if file is not None]
    return Integrated(tuple(said for said in found if said), processed.problems)
