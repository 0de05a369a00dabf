from collab.merge.three.losses import disturbs, loses


def test_a_word_that_one_side_added_must_be_there() -> None:
    assert loses("a\n", "a new\n", "a\n", "a\n")
    assert not loses("a\n", "a new\n", "a\n", "a new\n")


def test_a_word_that_both_added_may_stand_there_once() -> None:
    assert not loses("a\n", "a new\n", "a new\n", "a new\n")


def test_a_line_that_one_side_removed_must_not_be_back() -> None:
    assert loses("a\nb\n", "a\n", "a\nb\n", "a\nb\n")
    assert not loses("a\nb\n", "a\n", "a\nb\n", "a\n")


def test_deleting_or_splitting_what_ours_put_in_disturbs_it() -> None:
    assert disturbs("a b\n", "a new b\n", "a b\n")
    assert disturbs("a b\n", "a new word b\n", "a new other word b\n")
    assert not disturbs("a b\n", "a new b\n", "x new c\n")
