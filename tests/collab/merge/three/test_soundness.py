from collections.abc import Callable, Sequence

from collab.merge.three.merge import merge
from collab.merge.three.regions import Kind, Span


class Parentheses:
    """A language in which parentheses must be even, and nothing else matters."""

    def __init__(self, united: str | None = None) -> None:
        self.united = united

    def breaks(self, path: str, before: Sequence[str], after: str) -> bool:
        return all(even(text) for text in before) and not even(after)

    def unite(
        self,
        path: str,
        base: str,
        ours: str,
        theirs: str,
        spans: tuple[Span, Span, Span],
        inside: Callable[[str, str, str], str | None] | None = None,
    ) -> str | None:
        return self.united

    def stands(
        self, path: str, base: str, ours: str, theirs: str, taken: Sequence[tuple[tuple[Span, Span, Span], str]]
    ) -> bool:
        return False


class Touchy(Parentheses):
    """A language in which one word does not go with anybody's changes."""

    def __init__(self, word: str) -> None:
        super().__init__()
        self.word = word

    def breaks(self, path: str, before: Sequence[str], after: str) -> bool:
        return self.word in after


def even(text: str) -> bool:
    return text.count("(") == text.count(")")


FAR = "".join(f"line {n}\n" for n in range(30))


def test_a_merge_of_words_that_does_not_parse_is_a_conflict() -> None:
    base, ours, theirs = "(one two) three four\n", "one two three four\n", "(one two) three (four)\n"
    assert merge(base, ours, theirs, syntax=Parentheses()).clean
    theirs = "(one two three) four\n"
    assert not merge(base, ours, theirs, syntax=Parentheses()).clean


def test_lines_that_do_not_parse_together_are_a_conflict_and_ours_stands() -> None:
    base = "open (\na\nb\nc\nclose )\n"
    ours = base.replace("open (", "open").replace("close )", "close")
    theirs = base.replace("b\n", "b ()\n")
    merged = merge(base, ours, theirs, syntax=Touchy("b ()"))
    assert merged.text == ours
    assert [region.text for region in merged.conflicts] == ["b\n"]


def test_changes_far_from_ours_stay_when_those_near_it_do_not_parse() -> None:
    base = "a\nx\nb\n" + FAR + "end\n"
    ours, theirs = base.replace("a\n", "(a)\n"), base.replace("b\n", "b!\n").replace("end", "the end")
    merged = merge(base, ours, theirs, syntax=Touchy("b!"))
    assert [region.text for region in merged.conflicts] == ["b\n"]
    assert merged.text == ours.replace("end", "the end")


def test_changes_far_from_ours_are_asked_about_when_it_is_they_that_do_not_parse() -> None:
    base = "a\nx\nb\n" + FAR + "end\n"
    ours, theirs = base.replace("a\n", "(a)\n"), base.replace("b\n", "b!\n").replace("end", "the end")
    merged = merge(base, ours, theirs, syntax=Touchy("the end"))
    assert [region.text for region in merged.conflicts] == ["b\n", "end\n"]
    assert merged.text == ours


def test_what_the_syntax_unites_is_taken() -> None:
    merged = merge("x\n", "x\nimport a\n", "x\nimport b\n", syntax=Parentheses("import a\nimport b\n"))
    assert merged.text == "x\nimport a\nimport b\n"
    assert [region.layer for region in merged.regions if region.kind is Kind.MERGED] == ["syntax"]


def test_what_the_syntax_unites_is_not_taken_when_something_is_lost() -> None:
    merged = merge("x\n", "x\nimport a\n", "x\nimport b\n", syntax=Parentheses("import a\n"))
    assert not merged.clean
    assert merged.text == "x\nimport a\n"
