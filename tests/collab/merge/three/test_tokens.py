from hypothesis import given
from hypothesis import strategies as st

from collab.merge.three.tokens import merge_tokens, tokens


@given(st.text())
def test_tokens_hold_the_whole_text(text: str) -> None:
    assert "".join(tokens(text)) == text


def test_a_version_is_one_token() -> None:
    assert tokens("v 1.20.3-rc") == ["v", " ", "1.20.3", "-", "rc"]


def test_changes_of_different_words_of_a_line_are_merged() -> None:
    assert (
        merge_tokens("def load(path, mode):\n", "def load(file, mode):\n", "def read(path, mode):\n")
        == "def read(file, mode):\n"
    )


def test_changes_of_one_word_are_not() -> None:
    assert merge_tokens("return old\n", "return new\n", "return newer\n") is None


def test_two_new_words_at_one_place_are_not() -> None:
    assert merge_tokens("call(a)\n", "call(a, b)\n", "call(a, c)\n") is None


def test_two_parts_of_one_name_are_not() -> None:
    assert merge_tokens("x = a.b\n", "x = c.b\n", "x = a.d\n") is None


def test_different_digits_of_a_version_are_not() -> None:
    assert merge_tokens('"1.2.3"\n', '"1.2.4"\n', '"1.3.3"\n') is None


def test_the_same_change_on_both_sides_is_taken_once() -> None:
    assert merge_tokens("a b c d\n", "x b c d\n", "x b c e\n") == "x b c e\n"


def test_a_new_line_below_a_changed_one_is_merged() -> None:
    assert merge_tokens("one = 1  # odd\n", "one = 1  # odd\ntwo = 2\n", "one = 1\n") == "one = 1\ntwo = 2\n"
