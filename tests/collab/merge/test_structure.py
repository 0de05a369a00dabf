from __future__ import annotations

from collab.merge.structure import lost_symbols, merged_once
from collab.syntax.syntax import Syntax

BASE = """import os


def load(path):
    with open(path) as file:
        return file.read()


def save(path, text):
    with open(path, "w") as file:
        file.write(text)


class Room:
    def join(self, person):
        self.people.append(person)
"""


def lost(live: str, old: str, new: str, base: str = BASE, path: str = "a.py") -> list[str]:
    start = base.index(old)
    return lost_symbols(Syntax(), path, base, live, start, start + len(old), new)


def test_nothing_is_lost_when_nobody_changed_a_symbol() -> None:
    assert lost(BASE.replace("import os", "import sys"), "file.read()", "file.read().strip()") == []


def test_a_change_inside_a_function_that_was_renamed_is_told() -> None:
    live = BASE.replace("def load", "def read")
    assert lost(live, "file.read()", "file.read().strip()") == [
        "It changes `load`, which was renamed to `read` meanwhile."
    ]


def test_a_change_inside_a_function_that_was_deleted_is_told() -> None:
    live = BASE[: BASE.index("def save")] + BASE[BASE.index("class Room") :]
    assert lost(live, "file.write(text)", "file.write(text + end)") == [
        "It changes `save`, which was deleted meanwhile."
    ]


def test_a_change_inside_a_function_that_was_moved_into_a_class_is_told() -> None:
    first, second = BASE.index("def load"), BASE.index("def save")
    live = BASE[:first] + BASE[second:]
    live += "\n    def load(path):\n        with open(path) as file:\n            return file.read()\n"
    assert lost(live, "file.read()", "file.read(10)") == [
        "It changes `load`, which was moved to `Room.load` meanwhile."
    ]


def test_a_change_that_uses_what_was_renamed_is_told() -> None:
    live = BASE.replace("def load", "def read")
    assert lost(live, "self.people.append(person)", "self.people.append(load(person))") == [
        "It uses `load`, which was renamed to `read` meanwhile."
    ]


def test_a_name_that_still_means_something_is_no_loss() -> None:
    live = BASE.replace("def load", "def read") + "\n\ndef load():\n    return None\n"
    assert lost(live, "self.people.append(person)", "self.people.append(load(person))") == []


def test_a_name_that_the_change_defines_itself_is_no_loss() -> None:
    live = BASE.replace("def load", "def read")
    assert lost(live, "self.people.append(person)", "def load(a): ...\n        load(person)") == []


def test_a_change_that_takes_away_what_was_deleted_is_no_loss() -> None:
    function = BASE[BASE.index("def save") : BASE.index("class Room")]
    assert lost(BASE.replace(function, ""), function, "") == []


def test_a_change_next_to_a_function_that_was_renamed_is_no_loss() -> None:
    live = BASE.replace("def load", "def read")
    at = BASE.index("def load")
    assert lost_symbols(Syntax(), "a.py", BASE, live, at, at, "x = 1\n\n\n") == []


def test_a_file_of_an_unknown_language_loses_nothing() -> None:
    assert lost(BASE.replace("def load", "def read"), "file.read()", "file.read(1)", path="a.txt") == []


def test_an_import_that_somebody_else_added_is_merged_once() -> None:
    live = BASE.replace("import os\n", "import os\nimport re\n")
    at = len("import os\n")
    assert merged_once(Syntax(), "a.py", BASE, live, at, at, "import re\nimport json\n") == "import json\n"
    assert merged_once(Syntax(), "a.py", BASE, BASE, at, at, "import re\n") == "import re\n"


def test_half_a_line_that_somebody_is_typing_makes_no_symbol_lost() -> None:
    live = BASE.replace("        return file.read()\n", '        return file.read()\n\n   items[("\n')
    assert lost(live, "self.people.append(person)", "self.people.add(person)") == []


def test_a_function_whose_name_is_gone_is_lost_also_while_somebody_types() -> None:
    live = BASE.replace("def load", "def read").replace("file.write(text)", "file.write((")
    assert len(lost(live, "file.read()", "file.read().strip()")) == 1


def test_text_under_a_heading_that_was_renamed_is_not_lost() -> None:
    base = "# Rooms\n\nA room holds text.\n\n# People\n\nThey type.\n"
    assert lost(base.replace("Rooms", "The rooms"), "A room", "Each room", base, "a.md") == []
