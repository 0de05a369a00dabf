"""A model for simulated clusters: it reads the file in its prompt and changes lines of it, piece by piece."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from random import Random

from generation.errors import ModelError, StreamBroken
from generation.ports import Delta, FinishDelta, Message, StreamLimits, TextDelta
from tests.simulation.cluster_client import TOKEN

PATH = "a.txt"


class LineModel:
    """Implements generation.ports.Model. Every line that it adds is unlike all others."""

    name = "lines"
    offline = False

    def __init__(self, random: Random, mark: str) -> None:
        self.dropped: set[str] = set()
        """Tokens that it was shown and took out."""
        self.streams = 0
        self._random = random
        self._mark = mark

    async def stream(self, messages: Sequence[Message], limits: StreamLimits) -> AsyncIterator[Delta]:
        """A few blocks, each of which adds lines behind one that it was shown, or takes one out."""
        self.streams += 1
        random = self._random
        # Where it goes on with an answer that broke off, the request is not the last message.
        request = next(message.content for message in reversed(messages) if "label=" in message.content)
        shown = _shown(request)
        await asyncio.sleep(0.05 + random.random() * 0.3)
        fate = random.random()
        pace = random.choice([0.05, 0.3, 1.0])
        label = request.rpartition("label=")[2].split()[0]
        answer = self._answer(shown, label)
        size = random.randint(8, 40)
        pieces = [answer[at : at + size] for at in range(0, len(answer), size)]
        broken_at = random.randrange(len(pieces) + 1) if fate < 0.1 else -1
        if fate > 0.95:
            raise ModelError("The provider is busy.")
        for index, piece in enumerate(pieces):
            if index == broken_at:
                raise StreamBroken("The provider has hung up.")
            yield TextDelta(piece)
            await asyncio.sleep(random.random() * pace)
        yield FinishDelta("stop")

    def _answer(self, shown: list[str], label: str) -> str:
        random = self._random
        usable = [line for line in shown if shown.count(line) == 1]
        chosen = sorted(random.sample(range(len(usable)), min(len(usable), random.randint(1, 3))))
        blocks = []
        for number, index in enumerate(chosen):
            line = usable[index]
            added = f"{{{label}.{self._mark}.{self.streams}.{number}}}\n"
            kept = line
            if line.startswith("[") and random.random() < 0.3:
                self.dropped.update(TOKEN.findall(line))
                kept = ""
            blocks.append(f"{PATH}\n<<<<<<< SEARCH\n{line}=======\n{kept}{added}>>>>>>> REPLACE\n\n")
        return "".join(blocks) or "There is nothing to change."


def _shown(prompt: str) -> list[str]:
    start = prompt.find(f"{PATH}\n````\n")
    if start < 0:
        return []
    body = prompt[start + len(PATH) + 6 :]
    return body[: body.index("````")].splitlines(keepends=True)
