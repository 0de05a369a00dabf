"""What holds for every merge, whatever the texts."""

import re
from collections import Counter

from hypothesis import example, given
from hypothesis import strategies as st

from collab.merge.three.losses import disturbs
from collab.merge.three.merge import merge
from collab.merge.three.regions import Kind, Merge

LINE = st.sampled_from(
    ["a = 1\n", "b(c, d)\n", "b(c, e)\n", "x b(c, d) y\n", "\n", "    return b\n", "c\n", "}\n"]
)
TEXT = st.one_of(st.lists(LINE, max_size=12).map("".join), st.text(alphabet="ab c\n(", max_size=25))


@st.composite
def three(draw: st.DrawFn) -> tuple[str, str, str]:
    """A base and two edits of it, which may have a part in common."""
    base = draw(st.lists(LINE, max_size=10))

    def edited(lines: list[str]) -> list[str]:
        lines = list(lines)
        for _ in range(draw(st.integers(0, 3))):
            at = draw(st.integers(0, len(lines)))
            upto = draw(st.integers(at, min(len(lines), at + 2)))
            lines[at:upto] = draw(st.lists(LINE, max_size=2))
        return lines

    common = edited(base) if draw(st.booleans()) else base
    return "".join(base), "".join(edited(common)), "".join(edited(common))


def words(text: str) -> Counter[str]:
    return Counter(re.findall(r"\w+", text))


@given(TEXT, TEXT)
def test_what_only_one_side_changed_is_as_it_has_it(base: str, side: str) -> None:
    for ours, theirs in ((side, base), (base, side), (side, side)):
        merged = merge(base, ours, theirs)
        assert merged.clean
        assert merged.text == side


@given(three())
def test_the_regions_cover_all_three_texts(texts: tuple[str, str, str]) -> None:
    merged = merge(*texts)
    for name, text in zip(("base", "ours", "theirs"), texts, strict=True):
        at = 0
        for region in merged.regions:
            start, end = getattr(region, name)
            assert start == at
            at = end
        assert at == len(text)


@given(three())
def test_the_changes_make_the_merged_text_of_ours(texts: tuple[str, str, str]) -> None:
    merged = merge(*texts)
    text = texts[1]
    for start, end, replacement in reversed(merged.changes):
        text = text[:start] + replacement + text[end:]
    assert text == merged.text


@given(three())
def test_a_word_that_one_side_added_is_in_the_result_or_asked_about(texts: tuple[str, str, str]) -> None:
    for region in merge(*texts).regions:
        was, one, other = (
            words(text[slice(*span)])
            for text, span in zip(texts, (region.base, region.ours, region.theirs), strict=True)
        )
        now = words(region.text)
        for side, opposite in ((one, other), (other, one)):
            for word, count in side.items():
                if count > max(was[word], opposite[word]):
                    assert region.kind is Kind.CONFLICT or now[word] >= count


@given(three())
def test_no_change_disturbs_what_ours_put_in_when_it_is_to_stay(texts: tuple[str, str, str]) -> None:
    base, ours, theirs = texts
    merged = merge(base, ours, theirs, keeping=True)
    for region in merged.regions:
        if region.kind is not Kind.AGREED:
            assert not disturbs(base[slice(*region.base)], ours[slice(*region.ours)], region.text)


@given(three())
@example(("}\n", "x b(c, d) y\n}\n", "x b(c, d) y\n"))  # Each seemed to hold the other, a sign apart.
def test_sides_may_be_exchanged(texts: tuple[str, str, str]) -> None:
    base, ours, theirs = texts

    def asked(merged: Merge) -> list[tuple[int, int]]:
        return [region.base for region in merged.conflicts]

    one, other = merge(base, ours, theirs), merge(base, theirs, ours)
    assert asked(one) == asked(other)
    if one.clean:
        assert one.text.split() == other.text.split()


@given(st.lists(st.booleans(), min_size=3, max_size=20), st.lists(st.booleans(), min_size=20, max_size=20))
def test_changes_of_lines_that_do_not_touch_are_all_there(mine: list[bool], yours: list[bool]) -> None:
    lines = [f"line {n}\n" for n in range(2 * len(mine))]
    ours, theirs, both = list(lines), list(lines), list(lines)
    for n, (one, other) in enumerate(zip(mine, yours, strict=False)):
        if one:
            ours[2 * n] = both[2 * n] = f"ours {n}\n"
        elif other:
            theirs[2 * n] = both[2 * n] = f"theirs {n}\n"
    merged = merge("".join(lines), "".join(ours), "".join(theirs))
    assert merged.clean
    assert merged.text == "".join(both)
