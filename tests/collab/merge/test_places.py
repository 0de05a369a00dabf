from __future__ import annotations

from random import Random

import pytest

from collab.document import Document
from collab.ids import ClientId, FileId
from collab.merge.items import State
from collab.merge.places import Places

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


@pytest.mark.parametrize("seed", range(25))
def test_the_items_of_a_text_stand_in_its_order(seed: int) -> None:
    document = typed(seed, "ab\né😀")
    runs = State(document).runs(FILE)
    assert b"".join(run.units for run in runs).decode("utf-16-le") == document.text(FILE)


@pytest.mark.parametrize("alphabet", ["ab\n", "aé😀\u0301\n"])
@pytest.mark.parametrize("seed", range(10))
def test_every_place_is_found_again_in_every_text(seed: int, alphabet: str) -> None:
    document = typed(seed, alphabet)
    places = Places(document)
    for index in range(len(document.text(FILE)) + 1):
        assert places.resolve(FILE, places.anchor(FILE, index)) == index
        before = places.anchor_before(FILE, index)
        assert before is None or places.resolve(FILE, before) == index
    assert places.anchor_before(FILE, len(document.text(FILE))) is None


@pytest.mark.parametrize("text", ["abc", "é😀c"])
def test_a_place_keeps_its_side_of_what_is_typed_there(text: str) -> None:
    document = Document(ClientId(1))
    document.edit(lambda editor: editor.create(FILE, "a.txt", text))
    behind, before = Places(document).anchor(FILE, 2), Places(document).anchor_before(FILE, 2)
    assert before is not None
    document.edit(lambda editor: editor.splice(FILE, 2, 2, "😀X"))
    places = Places(document)
    assert (places.resolve(FILE, behind), places.resolve(FILE, before)) == (2, 4)
    document.edit(lambda editor: editor.splice(FILE, 1, 5, ""))
    places = Places(document)
    assert (places.resolve(FILE, behind), places.resolve(FILE, before)) == (1, 1)


@pytest.mark.parametrize("text", ["abc", "é"])
def test_a_place_that_is_not_there_is_none(text: str) -> None:
    document = Document(ClientId(1))
    document.edit(lambda editor: editor.create(FILE, "a.txt", text))
    places = Places(document)
    assert places.resolve(FILE, b"\x00\x05\x01\x41") is None
    assert places.resolve(FileId("other"), places.anchor(FILE, 1)) is None
