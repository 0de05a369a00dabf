"""One more round with the model, to repair what checks found in what it wrote.

The model sees the files as its answer makes them, and what is wrong. What it answers is written into copies of
them; only a copy that passes the checks takes the place of what the answer had made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from typing import Final

from collab.document import Document
from collab.ids import ClientId, FileId, JobId, SuggestionId
from generation.checks.finding import Finding
from generation.context.tokens import estimate
from generation.context.wording import fenced
from generation.draft import Draft
from generation.pipeline import AnswerWriter
from generation.ports import Message
from generation.prompt import BLOCKS, ROLE, WHOLE

_ASK: Final = (
    "You were asked for the following, and your answer has a mistake. Repair it: change what is wrong in the "
    "files below, which hold your answer, and nothing else. Write all lines; never leave any out."
)
_IMPORTS: Final = (
    "Do not import what is not there: use what the project has, or add it to the file that lists what the project "
    "depends on, if you are certain that it exists."
)
MOST_DEPENDENCY_FILES: Final = 3
_DEPENDENCIES: Final = ("requirements.txt", "pyproject.toml", "package.json", "go.mod", "Cargo.toml", "pom.xml")


class Repair:
    """The request for one repair, and what comes of it."""

    def __init__(
        self,
        job: JobId,
        prompt: str,
        draft: Draft,
        findings: Iterable[Finding],
        refused: Mapping[str, Sequence[str]],
        answer_chars: int,
    ) -> None:
        """``refused`` are, by path, words about blocks that were not taken, as lines are left out in them."""
        findings = list(findings)
        self._files: dict[str, FileId] = {}
        self._texts: dict[str, str] = {}
        self._scratch = Document(ClientId(1))
        wrong = dict.fromkeys([*(one.path for one in findings), *map(draft.path_now, refused)])
        extra = [path for path in draft.paths() if path.rpartition("/")[2] in _DEPENDENCIES]
        if any(one.kind == "import" for one in findings):
            wrong.update(dict.fromkeys(extra[:MOST_DEPENDENCY_FILES]))
        for number, path in enumerate(wrong):
            text = draft.text(path)
            if text is not None:
                self._add(FileId(f"r{number}"), path, text)
        numbers = count(1)
        self.writer = AnswerWriter(
            job,
            self._scratch,
            ClientId(2),
            mode="auto",
            offline=False,
            file_id=lambda: FileId(f"n{next(numbers)}"),
            suggestion_id=lambda: SuggestionId(f"s{next(numbers)}"),
            answer_chars=answer_chars,
            may_drop=True,
        )
        self.writer.show(list(self._files.values()))
        said = [*map(str, findings), *(f"{path}: {words}" for path, some in refused.items() for words in some)]
        self.messages = self._words(prompt, said, imports=any(one.kind == "import" for one in findings))
        self.tokens = sum(estimate(message.content) for message in self.messages)

    def _add(self, file: FileId, path: str, text: str) -> None:
        self._files[path] = file
        self._texts[path] = text
        self._scratch.edit(lambda editor: editor.create(file, path, text))

    def pull(self) -> None:
        """What was written so far goes into the copies."""
        outcome = self.writer.pull(self._scratch)
        if outcome.update is not None:
            self.writer.merged(self._scratch.apply([outcome.update], track=True), self._scratch)

    def results(self) -> dict[str, str]:
        """The texts of the files that the repair changes, once the answer is finished and pulled."""
        files = self._scratch.listing().files
        now = {path: self._scratch.text(file) for path, file in self._files.items() if file in files}
        return {path: text for path, text in now.items() if text != self._texts[path]}

    def _words(self, prompt: str, said: Sequence[str], *, imports: bool) -> list[Message]:
        parts = [
            _ASK,
            "The request was:\n\n" + prompt,
            "What is wrong:\n\n" + "\n".join(f"- {one}" for one in said),
            *([_IMPORTS] if imports else []),
            "The files:\n\n" + "\n\n".join(fenced(path, text) for path, text in self._texts.items()),
        ]
        return [Message("system", "\n\n".join([ROLE, BLOCKS, WHOLE])), Message("user", "\n\n".join(parts))]


def repaired(draft: Draft, results: Mapping[str, str]) -> Draft:
    """What the draft would be with the results of a repair."""
    made = draft.copy()
    for path, text in results.items():
        made.replace(path, text)
    return made
