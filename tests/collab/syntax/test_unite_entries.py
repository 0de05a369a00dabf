from __future__ import annotations

from tests.collab.syntax.regions import united


def test_entries_of_a_list_added_by_both_are_united() -> None:
    made = united("a.py", "", '    "c",\n', '    "b",\n', before='X = [\n    "z",\n    "a",\n', after="]\n")
    assert made == '    "c",\n    "b",\n'


def test_entries_of_a_sorted_list_stay_sorted() -> None:
    made = united(
        "a.py", "", '    "e",\n', '    "d",\n', before='__all__ = (\n    "a",\n    "b",\n    "c",\n', after=")\n"
    )
    assert made == '    "d",\n    "e",\n'


def test_entries_on_one_line_are_united_on_one_line() -> None:
    made = united("a.py", "X = {'b', 'a'}\n", "X = {'b', 'a', 'd'}\n", "X = {'b', 'a', 'c'}\n")
    assert made == "X = {'b', 'a', 'd', 'c'}\n"


def test_pairs_of_a_dictionary_are_told_apart_by_their_keys() -> None:
    made = united(
        "a.py",
        '    "a": 1,\n    "b": 2,\n    "c": 3,\n',
        '    "a": 1,\n    "b": 20,\n    "c": 3,\n    "x": 4,\n',
        '    "a": 10,\n    "b": 2,\n    "y": 5,\n',
        before="X = {\n",
        after="}\n",
    )
    assert made == '    "a": 10,\n    "b": 20,\n    "x": 4,\n    "y": 5,\n'


def test_one_key_with_two_values_is_left_to_the_people() -> None:
    assert united("a.py", "", '    "x": 1,\n', '    "x": 2,\n', before='X = {\n    "a": 1,\n', after="}\n") is None


def test_an_element_that_both_changed_is_merged_by_the_given_layer() -> None:
    made = united(
        "a.py",
        '    "a": f(1, 2),\n',
        '    "a": f(1, 20),\n    "b": 1,\n',
        '    "a": f(10, 2),\n    "c": 1,\n',
        before="X = {\n",
        after="}\n",
        inside=lambda base, ours, theirs: '    "a": f(10, 20),\n',
    )
    assert made == '    "a": f(10, 20),\n    "b": 1,\n    "c": 1,\n'


def test_what_one_side_removed_and_the_other_changed_is_left_to_the_people() -> None:
    made = united(
        "a.py",
        '    "a": 1,\n    "b": 2,\n',
        '    "b": 2,\n',
        '    "a": 3,\n    "b": 2,\n',
        before="X = {\n",
        after="}\n",
    )
    assert made is None


def test_the_last_member_of_a_json_object_has_no_comma() -> None:
    made = united(
        "a.json", '  "a": 1\n', '  "a": 1,\n  "b": 2\n', '  "a": 1,\n  "c": 3\n', before="{\n", after="}\n"
    )
    assert made == '  "a": 1,\n  "b": 2,\n  "c": 3\n'


def test_the_last_member_of_a_json_object_may_go() -> None:
    made = united(
        "a.json",
        '  "a": 1,\n  "b": 2,\n  "z": 3\n',
        '  "a": 1,\n  "b": 2\n',
        '  "a": 9,\n  "b": 2,\n  "z": 3\n',
        before="{\n",
        after="}\n",
    )
    assert made == '  "a": 9,\n  "b": 2\n'


def test_a_comma_after_the_last_entry_stays() -> None:
    made = united("a.py", "    1,\n", "    1,\n    2,\n", "    1,\n    3,\n", before="X = [\n", after="]\n")
    assert made == "    1,\n    2,\n    3,\n"


def test_comments_go_with_their_entries() -> None:
    made = united(
        "a.py", "", '    # ours\n    "x",\n', '    "y",  # theirs\n', before='X = [\n    "z",\n', after="]\n"
    )
    assert made == '    # ours\n    "x",\n    "y",  # theirs\n'


def test_arguments_by_name_are_free_and_others_are_not() -> None:
    before, after = "f(\n    1,\n", ")\n"
    assert united("a.py", "", "    a=1,\n", "    b=2,\n", before=before, after=after) == "    a=1,\n    b=2,\n"
    assert united("a.py", "", "    a,\n", "    b,\n", before=before, after=after) is None


def test_what_one_side_did_to_all_entries_may_hold_for_new_ones() -> None:
    made = united(
        "a.py",
        '    "a": 1,\n    "b": 2,\n    "c": 3,\n',
        '    "a": 1,\n    "b": 2,\n    "c": 3,\n    "d": 4,\n',
        '    "a": one(1),\n    "b": one(2),\n    "c": one(3),\n',
        before="X = {\n",
        after="}\n",
    )
    assert made is None


def test_a_region_that_begins_inside_an_entry_is_moved_to_whole_ones() -> None:
    made = united(
        "a.py",
        "",
        '    },\n    "x": {\n        "one": 1,\n',
        '    },\n    "y": {\n        "two": 2,\n',
        before='X = {\n    "a": {\n        "zero": 0,\n',
        after="    },\n}\n",
    )
    assert made == '    },\n    "x": {\n        "one": 1,\n    },\n    "y": {\n        "two": 2,\n'


def test_tables_and_keys_of_toml_are_united() -> None:
    made = united("a.toml", "", "parallel = true\n", "strict = 1\n", before="[run]\nx = 1\n", after="\n[other]\n")
    assert made == "parallel = true\nstrict = 1\n"
    made = united("a.toml", "", "[a]\nx = 1\n\n", "[b]\ny = 1\n\n", before="[run]\nx = 1\n\n", after="[other]\n")
    assert made == "[a]\nx = 1\n\n[b]\ny = 1\n\n"


def test_keys_and_items_of_yaml_are_united() -> None:
    made = united("a.yaml", "", "  x: 1\n", "  y: 2\n", before="on:\n  a: 0\n", after="jobs:\n  b: 1\n")
    assert made == "  x: 1\n  y: 2\n"
    made = united("a.yaml", "", "  - x\n", "  - y\n", before="on:\n  - b\n", after="jobs:\n  b: 1\n")
    assert made == "  - x\n  - y\n"


def test_items_of_a_list_in_markdown_are_united() -> None:
    made = united("a.md", "", "- Ours.\n", "- Theirs.\n", before="# Changes\n\n- First.\n", after="\n## Old\n")
    assert made == "- Ours.\n- Theirs.\n"


def test_numbered_items_and_versions_in_markdown_are_left_to_the_people() -> None:
    assert united("a.md", "", "2. Ours.\n", "2. Theirs.\n", before="1. First.\n") is None
    assert (
        united("a.md", "", "## 1.2.0\n\nOurs.\n\n", "## 1.3.0\n\nTheirs.\n\n", after="## 1.1.0\n\nOld.\n") is None
    )


def test_rules_of_a_style_sheet_are_united_by_selector() -> None:
    made = united("a.css", "", ".x { a: b }\n", ".y { a: b }\n", before=".a { a: b }\n")
    assert made == ".x { a: b }\n.y { a: b }\n"
    assert united("a.css", "", ".x { a: b }\n", ".x { a: c }\n", before=".a { a: b }\n") is None
