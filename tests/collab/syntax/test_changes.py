from __future__ import annotations

from collab.syntax.changes import SymbolChanges
from collab.syntax.syntax import Syntax

BASE = """
def load(path):
    with open(path) as file:
        return file.read()


def save(path, text):
    with open(path, "w") as file:
        file.write(text)


class Room:
    def join(self, person):
        self.people.append(person)

    def leave(self, person):
        self.people.remove(person)
"""


def changes(live: str) -> SymbolChanges:
    return Syntax().changes("a.py", BASE, live)


def test_nothing_changes_between_equal_texts() -> None:
    assert changes(BASE) == SymbolChanges()


def test_an_equal_body_under_another_name_is_a_rename() -> None:
    found = changes(BASE.replace("def load", "def read"))
    assert found.renamed == {"load": "read"}
    assert not found.removed
    assert not found.added


def test_a_rename_is_found_though_the_body_was_edited_a_little() -> None:
    found = changes(BASE.replace("def load(path)", "def read(path)").replace("file.read()", "file.read().strip()"))
    assert found.renamed == {"load": "read"}


def test_another_function_at_the_same_place_is_no_rename() -> None:
    live = BASE.replace(
        "def load(path):\n    with open(path) as file:\n        return file.read()\n",
        "def beep(times, pitch):\n    for _ in range(times):\n        speaker.play(pitch, volume=3)\n",
    )
    found = changes(live)
    assert found.renamed == {}
    assert found.removed == {"load"}
    assert found.added == {"beep"}


def test_methods_go_along_with_a_renamed_class() -> None:
    found = changes(BASE.replace("class Room", "class Hall"))
    assert found.renamed == {"Room": "Hall"}
    assert not found.removed
    assert not found.added


def test_a_method_renamed_in_a_renamed_class_is_found() -> None:
    found = changes(BASE.replace("class Room", "class Hall").replace("def join", "def enter"))
    assert found.renamed == {"Room": "Hall", "Room.join": "Hall.enter"}


def test_a_function_that_went_into_a_class_was_moved() -> None:
    live = BASE.replace("def load(path):\n    with open(path) as file:\n        return file.read()\n\n\n", "")
    live += "\n    def load(path):\n        with open(path) as file:\n            return file.read()\n"
    found = changes(live)
    assert found.moved == {"load": "Room.load"}
    assert not found.removed


def test_a_function_that_went_below_its_sibling_was_reordered() -> None:
    first, second = BASE.index("def load"), BASE.index("def save")
    third = BASE.index("class Room")
    live = BASE[:first] + BASE[second:third] + BASE[first:second] + BASE[third:]
    assert len(changes(live).reordered) == 1


def test_a_function_that_is_gone_was_removed() -> None:
    live = BASE[: BASE.index("    def leave")]
    found = changes(live)
    assert found.removed == {"Room.leave"}


def test_the_surest_pair_wins_when_two_are_gone_and_one_is_new() -> None:
    body = "    for item in items:\n        total += item.price * item.amount\n    return total\n"
    base = f"def one(items, total):\n{body}\n\ndef two(items, total):\n{body.replace('amount', 'count')}\n"
    live = f"def three(items, total):\n{body.replace('amount', 'count')}\n"
    assert Syntax().changes("a.py", base, live).renamed == {"two": "three"}
