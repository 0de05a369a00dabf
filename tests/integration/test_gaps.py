"""Updates out of order, doubled and missing: a document takes in what a real Yjs document does, and no more."""

from __future__ import annotations

import json
import subprocess
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
from pycrdt import Doc, Text, TransactionEvent

from collab.document import Document, merge_updates
from collab.ids import ClientId
from collab.wire import decode_state_vector
from hatch_build import Node
from tests.integration.node_clients import FOLDER, install

WORLDS = 400

pytestmark = pytest.mark.integration


@dataclass
class Author:
    """Somebody who types in a text, and what that came to."""

    client: int
    doc: Doc[Any] = field(init=False)
    updates: list[bytes] = field(default_factory=list)
    typing: bool = False

    def __post_init__(self) -> None:
        self.doc = Doc(client_id=self.client)
        self.text = self.doc.get("t", type=Text)
        self.subscription = self.doc.observe(self._observed)

    def _observed(self, event: TransactionEvent) -> None:
        if self.typing:
            self.updates.append(event.update)

    def type(self, random: Random) -> None:
        self.typing = True
        length = len(str(self.text))
        with self.doc.transaction():
            for _ in range(random.choice((1, 1, 2))):
                if length and random.random() < 0.3:
                    at = random.randrange(length)
                    del self.text[at : at + 1]
                    length -= 1
                else:
                    self.text.insert(random.randint(0, length), random.choice("abc"))
                    length += 1
        self.typing = False


def updates_of(seed: int) -> list[bytes]:
    """What a few authors sent, as a bad network brings it: shuffled, merged, doubled, some of it never."""
    random = Random(seed)
    authors = [Author(client) for client in range(1, random.randint(2, 5))]
    for _ in range(random.randint(6, 24)):
        author = random.choice(authors)
        author.type(random)
        if random.random() < 0.5:
            random.choice(authors).doc.apply_update(author.doc.get_update())
    sent = [update for author in authors for update in author.updates]
    if random.random() < 0.7:
        random.shuffle(sent)
    sent = [update for update in sent if random.random() < 0.85]
    merged = []
    while sent:
        count = random.choice((1, 1, 1, 2, 3))
        merged.append(merge_updates(sent[:count]))
        sent = sent[count:]
    return merged + random.sample(merged, len(merged) // 4)


def test_a_document_takes_in_what_yjs_does(node: Node) -> None:
    install(node)
    worlds = [updates_of(seed) for seed in range(WORLDS)]
    lines = [json.dumps([b64encode(update).decode() for update in world]) for world in worlds]
    done = subprocess.run(
        [node.node, "gaps.mjs"], cwd=FOLDER, input="\n".join(lines), capture_output=True, text=True, check=True
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == WORLDS
    waited = 0
    for seed, (world, answer) in enumerate(zip(worlds, answers, strict=True)):
        here = reader()
        for update, (text, state) in zip(world, answer["steps"], strict=True):
            here.apply([update])
            assert str(here._doc.get("t", type=Text)) == text, seed
            assert vector(here) == state, seed
        # What Yjs gives to others has in it what waits there; whoever takes that has the same again.
        given = b64decode(answer["whole"])
        there = reader()
        there.apply([given])
        assert vector(there) == vector(here), seed
        assert str(there._doc.get("t", type=Text)) == str(here._doc.get("t", type=Text)), seed
        waited += here.lacks(given)[:1] != b"\0"
    assert waited > WORLDS / 4


def reader() -> Document:
    return Document(ClientId(99))


def vector(document: Document) -> dict[str, int]:
    known = decode_state_vector(document.state_vector())
    return {str(client): clock for client, clock in known.items() if clock}
