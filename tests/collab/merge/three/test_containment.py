from collab.merge.three.containment import containing, over_blanks


def test_the_side_that_made_the_same_change_and_more_wins() -> None:
    base, ours, theirs = 'a = "x"\n', 'a = "y"\nb = "z"\n', 'a = "y"\n'
    assert list(containing(base, ours, theirs)) == [ours]
    assert list(containing(base, theirs, ours)) == [ours]


def test_the_same_words_laid_out_in_two_ways_hold_each_other() -> None:
    ours = "call(\n    one,\n    two\n)\n"
    assert list(containing("", ours, "call(one, two)\n")) == [ours, "call(one, two)\n"]


def test_a_deletion_does_not_hold_a_change() -> None:
    assert not list(containing("keep = 1\n", "", "keep = 2\n"))


def test_what_one_side_removed_is_not_back_when_the_other_side_kept_it() -> None:
    assert list(containing("old()\n", "new()\n", "old()\nnew()\n")) == ["new()\n"]
    assert not list(containing("old()\nx\n", "new()\nx\n", "old()\nnew()\ny\n"))


def test_a_sign_that_one_side_removed_is_not_back_when_the_other_side_kept_it() -> None:
    base, kept, removed = "}\n", "same()\n}\n", "same()\n"
    assert list(containing(base, kept, removed)) == list(containing(base, removed, kept)) == [removed]
    assert not list(containing(base, kept + "more()\n", removed))


def test_of_two_sides_that_seem_to_hold_each_other_none_is_taken() -> None:
    base, ours, theirs = ".)))", ".)b.)))", "b.)))"
    assert not list(containing(base, ours, theirs))
    assert not list(containing(base, theirs, ours))


def test_two_different_insertions_do_not_hold_each_other() -> None:
    assert not list(containing("", "from tests.one import run\n", "from tests.two import run\n"))


def test_a_change_of_words_stands_over_one_of_blanks() -> None:
    base, blanks = "one  \n\ntwo\n", "one\n\ntwo\n"
    assert list(over_blanks(base, "three\n", blanks)) == ["three\n"]
    assert list(over_blanks(base, blanks, "three\n")) == ["three\n"]


def test_a_change_of_indentation_or_of_blank_lines_is_not_one_of_blanks() -> None:
    assert not list(over_blanks("if a:\n    one\n", "two\n", "if a:\n  one\n"))
    assert not list(over_blanks("one\n\ntwo\n", "three\n", "one\ntwo\n"))


def test_a_few_words_that_also_stand_in_a_long_new_text_are_not_held_by_it() -> None:
    assert not list(containing("", "".join(f"step_{n}()\n" for n in range(20)), "step_7()\n"))
