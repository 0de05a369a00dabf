from __future__ import annotations

import pytest

from tests.collab.syntax.regions import united

BEFORE = "import os\n"
AFTER = "\n\ndef f():\n    return 1\n"


def imports(base: str, ours: str, theirs: str, before: str = BEFORE) -> str | None:
    return united("a.py", base, ours, theirs, before=before, after=AFTER)


def test_names_added_to_one_import_by_both_are_united_in_the_order_that_both_keep() -> None:
    made = imports(
        "from typing import Optional\n",
        "from typing import Any, Optional\n",
        "from typing import TYPE_CHECKING, Dict, Optional\n",
    )
    assert made == "from typing import TYPE_CHECKING, Any, Dict, Optional\n"


def test_names_in_no_order_keep_ours_first() -> None:
    made = imports("from t import b, a\n", "from t import b, a, x\n", "from t import b, a, d\n")
    assert made == "from t import b, a, x, d\n"


def test_a_name_that_one_side_removed_is_gone() -> None:
    made = imports("from t import a, b, c\n", "from t import a, c\n", "from t import a, b, c, d\n")
    assert made == "from t import a, c, d\n"


def test_an_import_of_which_no_name_is_left_is_gone() -> None:
    assert imports("from t import a, b\n", "from t import a\n", "from t import b\n") == ""


def test_a_name_that_one_side_removed_and_the_other_uses_more_is_left_to_the_people() -> None:
    made = united(
        "a.py",
        "from t import a, b\n\nx = a\n",
        "from t import b\n\nx = 1\n",
        "from t import a, b, c\n\nx = a, a\n",
    )
    assert made is None


def test_lines_of_names_stay_lines_of_names() -> None:
    made = imports(
        "from t import a, b\n",
        "from t import (\n    a,\n    b,\n    c,\n)\n",
        "from t import (\n    a,\n    b,\n    d,\n)\n",
    )
    assert made == "from t import (\n    a,\n    b,\n    c,\n    d,\n)\n"


def test_a_line_that_gets_too_long_is_broken() -> None:
    made = imports(
        "from a_module import first_name\n",
        "from a_module import first_name, second_name_which_is_long\n",
        "from a_module import first_name, third_name_which_is_long\n",
    )
    assert made is not None
    assert made.startswith("from a_module import (\n    first_name,\n")


def test_a_filled_bracket_is_filled_again() -> None:
    made = imports(
        "from typing import (\n    A, B)\n",
        "from typing import (\n    A, B, C)\n",
        "from typing import (\n    A, B, D)\n",
    )
    assert made == "from typing import (\n    A, B, C, D)\n"


def test_the_inside_of_a_bracket_is_widened_to_the_statement() -> None:
    made = united(
        "a.py",
        "    IO, Any,\n    Set)\n",
        "    IO, Any,\n    Set, Type)\n",
        "    IO, Any,\n    Set, cast)\n",
        before="from typing import (\n",
        after=AFTER,
    )
    assert made == "    IO, Any, Set, Type, cast)\n"


def test_a_comment_after_the_bracket_is_kept() -> None:
    made = imports(
        "from t import (  # noqa\n    a,\n)\n",
        "from t import (  # noqa\n    a,\n    b,\n)\n",
        "from t import (  # noqa\n    a,\n    c,\n)\n",
    )
    assert made == "from t import (  # noqa\n    a,\n    b,\n    c,\n)\n"


def test_imports_added_by_both_are_sorted_as_both_sides_are() -> None:
    made = imports("", "import zlib\n", "import random\nimport re\n")
    assert made == "import random\nimport re\nimport zlib\n"


def test_imports_in_no_order_keep_ours_first() -> None:
    made = imports("", "import b\n", "import a\n", before="import zlib\nimport aifc\n")
    assert made == "import b\nimport a\n"


def test_the_same_import_added_by_both_is_kept_once() -> None:
    made = imports("", "import re\nimport zlib\n", "import json\nimport re\n", before="import cgi\n")
    assert made == "import json\nimport re\nimport zlib\n"


def test_imports_whose_order_cannot_be_told_are_left_to_the_people() -> None:
    assert imports("", "from own import a\n", "from typing import b\n", before='"""Says."""\n') is None


def test_one_name_from_two_places_is_left_to_the_people() -> None:
    assert imports("", "from a import run\n", "from b import run\n") is None


def test_one_import_replaced_by_two_others_is_left_to_the_people() -> None:
    assert imports("from a import x\n", "from a import y\n", "from b import z\n") is None


@pytest.mark.parametrize("path", ["a.ts", "a.tsx", "a.js"])
def test_names_of_a_javascript_import_are_united(path: str) -> None:
    made = united(
        path,
        "import { A, B } from './types'\n",
        "import { A, B, C } from './types'\n",
        "import { A, B, D } from './types'\n",
        after="\nf(A)\n",
    )
    assert made == "import { A, B, C, D } from './types'\n"


def test_specs_of_a_go_import_are_united() -> None:
    made = united(
        "a.go", "", '\t"os"\n', '\t"net"\n', before='package p\n\nimport (\n\t"fmt"\n', after='\t"time"\n)\n'
    )
    assert made == '\t"net"\n\t"os"\n'


def test_uses_of_rust_are_united() -> None:
    made = united("a.rs", "use a::{b};\n", "use a::{b, c};\n", "use a::{b, d};\n", before="use x::y;\n")
    assert made == "use a::{b, c, d};\n"


def test_windows_line_ends_are_kept() -> None:
    made = united("a.py", "", "import json\r\n", "import re\r\n", before="import cgi\r\n", after="\r\nx = 1\r\n")
    assert made == "import json\r\nimport re\r\n"
