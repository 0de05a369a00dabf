from __future__ import annotations

from random import Random

from collab.merge.changeset import EditHunk, decide
from collab.merge.resolver import TextResolver
from collab.syntax.excerpts import Common, differing, rewritten
from collab.syntax.syntax import Syntax
from tests.collab.merge.three.scoring import by_pairloom, cases

PARAGRAPHS = [f"def f{n}(a):\n    b = a + {n}\n\n    return b\n\n\n" for n in range(12)]
TEXT = "".join(PARAGRAPHS)


def edited(text: str, *changes: tuple[str, str]) -> str:
    for old, new in changes:
        assert text.count(old) == 1
        text = text.replace(old, new)
    return text


def test_only_paragraphs_that_differ_are_looked_at_and_their_places_are_known() -> None:
    live = edited(TEXT, ("a + 3", "a - 3"), ("def f7(", "def g7("))
    found = differing(TEXT, live)
    assert found is not None
    was, now = found
    assert was.text == PARAGRAPHS[3] + PARAGRAPHS[7]
    assert now.text == edited(was.text, ("a + 3", "a - 3"), ("def f7(", "def g7("))
    for part, whole in ((was, TEXT), (now, live)):
        for at in range(len(part.text)):
            assert whole[part.place(at)] == part.text[at]


def test_a_paragraph_that_moved_makes_the_whole_text_count() -> None:
    assert differing(TEXT, "".join([*PARAGRAPHS[1:], PARAGRAPHS[0]])) is None
    assert Common((TEXT, TEXT, "".join([*PARAGRAPHS[1:], PARAGRAPHS[0]]))).around(((0, 0), (0, 0), (0, 0))) is None


def test_texts_that_are_equal_have_nothing_to_look_at() -> None:
    found = differing(TEXT, TEXT)
    assert found is not None
    assert (found[0].text, found[1].text) == ("", "")


def test_a_region_is_cut_out_of_three_texts_alike() -> None:
    ours = edited(TEXT, ("a + 4", "a - 4"), ("a + 2\n", "a + 222\n"))
    theirs = edited(TEXT, ("a + 4", "a * 4"), ("a + 6", "a + 666"))
    texts = TEXT, ours, theirs
    spans = tuple(
        (text.index("    b = a", text.index("f4(")), text.index("\n\n    return", text.index("f4(")) + 1)
        for text in texts
    )
    found = Common(texts).around((spans[0], spans[1], spans[2]))
    assert found is not None
    cut, moved = found
    for text, part, (start, end), (first, last) in zip(texts, cut, spans, moved, strict=True):
        assert part[first:last] == text[start:end]
        assert part in text
    # Three that are the same on all sides, before and behind; what is between these comes along.
    assert cut[0] == "".join(PARAGRAPHS[:9])


def test_the_paragraphs_around_changes_with_the_changes_made() -> None:
    at, other = TEXT.index("a + 3"), TEXT.index("a + 7")
    changes = [(at, at + 5, "1"), (at + 5, at + 5, " + 1"), (other, other + 5, "7")]
    new = PARAGRAPHS[3].replace("a + 3", "1 + 1") + PARAGRAPHS[7].replace("a + 7", "7")
    assert rewritten(TEXT, changes) == new
    assert rewritten(TEXT, []) == ""


def test_what_stands_at_the_start_of_a_paragraph_is_seen_with_the_one_before() -> None:
    at = TEXT.index("def f4(")
    assert rewritten(TEXT, [(at, at, "    x = 1\n")]) == PARAGRAPHS[3] + "    x = 1\n" + PARAGRAPHS[4]
    assert rewritten(TEXT, [(0, 0, "x = 1\n")]) == "x = 1\n" + PARAGRAPHS[0]
    assert rewritten(TEXT, [(len(TEXT), len(TEXT), "x = 1\n")]) == PARAGRAPHS[-1] + "x = 1\n"


def test_real_merges_come_out_as_they_do_with_whole_texts() -> None:
    whole, parts = Syntax(), Syntax(large=1)
    for case in cases()[::3]:
        assert by_pairloom(case, parts).text == by_pairloom(case, whole).text, case.name


def test_the_symbols_of_excerpts_are_those_of_the_whole() -> None:
    whole, parts = Syntax(), Syntax(large=1)
    differ = 0
    for case in cases()[::2]:
        all_of_it, some = (one.compared(case.path, case.base, case.ours) for one in (whole, parts))
        assert set(some.symbols) <= set(all_of_it.symbols)
        differ += all_of_it.changes != some.changes
    # Of names that stand twice in a text, the excerpt may hold another one.
    assert differ <= 1


def test_a_large_file_is_decided_about_as_a_small_one() -> None:
    whole, parts = TextResolver(Syntax(large=10**9)), TextResolver(Syntax(large=1))
    for seed in range(30):
        random = Random(seed)
        live = TEXT
        for number in random.sample(range(9), 3):
            live = random.choice((
                edited(live, (f"def f{number}(", f"def renamed_{number}(")),
                edited(live, (f"a + {number}\n", f"a + {number} + 1\n")),
                edited(live, (PARAGRAPHS[number], "")),
                edited(live, (f"a + {number}\n", f'"""\n\n\nnever closed {number}\n')),
                edited(live, (f"def f{number}(", f"import os{number}\n\n\ndef f{number}(")),
            ))  # fmt: skip
        intents = []
        for number in random.sample(range(9), 4):
            at = TEXT.index(f"    b = a + {number}")
            other = random.randrange(9)
            new = random.choice((f"    c = f{other}(a)\n", "    # said\n", "    if a:\n", f"import os{other}\n"))
            intents.append(EditHunk("a.py", at, at, new))
        base = {"a.py": TEXT}
        assert decide(base, {"a.py": live}, intents, parts) == decide(base, {"a.py": live}, intents, whole), seed
