"""Texts with a past, for the tests of items and places."""

from __future__ import annotations

from random import Random

from collab.document import Document
from collab.ids import ClientId, FileId

FILE = FileId("f1")


def typed(seed: int, alphabet: str) -> Document:
    """A text typed and deleted at random by three people who meet now and then."""
    random = Random(seed)
    documents = [Document(ClientId(random.getrandbits(32))) for _ in range(3)]
    documents[0].edit(lambda editor: editor.create(FILE, "a.txt", "start"))
    for document in documents[1:]:
        document.apply([documents[0].encode()])
    for _ in range(60):
        document, other = random.sample(documents, 2)
        if random.random() < 0.2:
            document.apply([other.encode(document.state_vector())])
            continue
        length = len(document.text(FILE))
        start = random.randint(0, length)
        end = min(length, start + random.choice([0, 0, 0, 1, 4]))
        text = "".join(random.choices(alphabet, k=random.choice([0, 1, 1, 3])))
        document.edit(lambda editor, s=start, e=end, t=text: editor.splice(FILE, s, e, t))  # type: ignore[misc]
    for document in documents[1:]:
        documents[0].apply([document.encode(documents[0].state_vector())])
    return documents[0]
