from __future__ import annotations

from collab.syntax.languages import language_of
from collab.syntax.parsing import KEPT_TREES, MAX_CHARACTERS, Parsed, Parsing

PYTHON = language_of("a.py")
assert PYTHON is not None


def parse(text: str) -> Parsed:
    assert PYTHON is not None
    parsed = Parsing().parse(PYTHON, text)
    assert parsed is not None
    return parsed


def test_offsets_convert_both_ways_where_characters_take_one_to_four_bytes() -> None:
    text = "a = 'é€😀'\n" * 2_000
    parsed = parse(text)
    for character in (*range(40), *range(9_000, 9_040), len(text)):
        assert parsed.characters(parsed.offset(character)) == character


def test_a_text_that_is_too_long_is_not_parsed() -> None:
    assert PYTHON is not None
    assert Parsing().parse(PYTHON, "a" * (MAX_CHARACTERS + 1)) is None


def test_a_text_parsed_in_slices_has_the_same_tree() -> None:
    assert PYTHON is not None
    text = "def f(a, b):\n    return [a, b]\n\n\n" * 400
    parsing = Parsing()
    slices = sum(1 for _ in parsing.slices(PYTHON, text, 1_000))
    parsed = parsing.parse(PYTHON, text)
    assert slices > 5
    assert parsed is not None
    assert str(parsed.root) == str(parse(text).root)


def test_an_edited_tree_is_that_of_the_new_text() -> None:
    old = parse("é = 1\n\n\ndef f():\n    return 'é'\n")
    start = old.text.index("return")
    edited = Parsing().edited(old, start, start + 6, "yield")
    assert edited is not None
    assert edited.text == "é = 1\n\n\ndef f():\n    yield 'é'\n"
    assert str(edited.root) == str(parse(edited.text).root)
    assert old.text == "é = 1\n\n\ndef f():\n    return 'é'\n"


def test_a_tree_is_kept_for_the_next_question_and_few_are_kept() -> None:
    assert PYTHON is not None
    parsing = Parsing()
    first = parsing.parse(PYTHON, "a = 0\n")
    assert parsing.parse(PYTHON, "a = 0\n") is first
    for number in range(1, KEPT_TREES + 1):
        parsing.parse(PYTHON, f"a = {number}\n")
    assert parsing.parse(PYTHON, "a = 0\n") is not first


def test_a_text_that_its_grammar_takes_too_many_steps_over_has_no_tree() -> None:
    tsx = language_of("a.tsx")
    assert tsx is not None
    hard = "<a<" * 400 + "((`${" * 200
    parsing = Parsing()
    parsed = parsing.parse(tsx, hard)
    assert parsed is None or parsed.root.has_error


def test_a_text_that_is_mostly_like_another_gets_the_tree_of_a_fresh_parse() -> None:
    old = parse("a = 'é'\nb = 2\nc = 3\n")
    for text in ("a = 'é'\nc = 3\n", "a = 'é'\nb = 2\nb = 2\nc = 3\n", "", "x", "a = 'é'\nb = (\nc = 3\n"):
        made = Parsing().like([parse("z\n"), old], text)
        assert made is not None
        assert made.text == text
        assert made.root.has_error == parse(text).root.has_error
        assert made.root.has_error or str(made.root) == str(parse(text).root)
