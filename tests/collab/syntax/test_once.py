from __future__ import annotations

from collab.syntax.syntax import Syntax

BASE = "import os\n\n\ndef f():\n    return os\n"


def once(live: str, replacement: str, start: int = 0, end: int = 0, path: str = "a.py", base: str = BASE) -> str:
    return Syntax().once(path, base, live, start, end, replacement)


def test_an_import_that_is_there_already_is_left_out() -> None:
    assert once("import re\n" + BASE, "import re\nimport json\n") == "import json\n"


def test_nothing_is_left_of_a_change_that_only_adds_what_is_there() -> None:
    assert once("import re\n" + BASE, "import re\n") == ""


def test_a_name_that_is_there_already_is_left_out_of_its_import() -> None:
    assert once("from t import a\n" + BASE, "from t import a, b\n") == "from t import b\n"


def test_what_was_in_the_base_is_not_touched() -> None:
    assert once("x = 1\n" + BASE, "import os\n") == "import os\n"


def test_a_definition_that_is_there_already_is_left_out() -> None:
    new = "@mark\ndef g(a):\n    return a\n\n\n"
    assert once(BASE + "\n\n" + new, new + "def h():\n    return 2\n\n\n") == "def h():\n    return 2\n\n\n"


def test_a_definition_with_another_body_or_other_decorators_stays() -> None:
    new = "@mark\ndef g(a):\n    return a\n"
    for other in (new.replace("return a", "return b"), new.replace("@mark", "@other")):
        assert once(BASE + "\n\n" + other, new) == new


def test_specs_of_go_are_left_out_one_by_one() -> None:
    base = 'package p\n\nimport (\n\t"fmt"\n)\n'
    at = base.index(")")
    live = base.replace('"fmt"\n', '"fmt"\n\t"os"\n')
    assert once(live, '\t"os"\n\t"net"\n', at, at, "a.go", base) == '\t"net"\n'


def test_a_text_of_an_unknown_language_stays_as_it_is() -> None:
    assert once("import re\n" + BASE, "import re\n", path="a.txt") == "import re\n"
