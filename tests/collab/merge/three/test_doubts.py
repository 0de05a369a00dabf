from collab.merge.three.doubts import (
    Texts,
    at_odds,
    chases_moved,
    follows_changed,
    lays_out,
    repeats,
    uses_withdrawn,
    went_over,
)


def test_a_word_that_the_other_side_renamed_everywhere_is_in_doubt() -> None:
    region = Texts("use(old)\n", "use(old)\nthen(old)\n", "use(new)\n")
    assert uses_withdrawn(region, Texts("old = 1\n" + region.base, "old = 1\n" + region.ours, "new = 1\n"))


def test_a_word_that_the_other_side_still_has_is_not() -> None:
    region = Texts("use(old)\n", "use(old)\nthen(old)\n", "use(new)\n")
    assert not uses_withdrawn(region, Texts(*("old = 1\n" + text for text in region)))


def test_a_phrase_that_the_other_side_changed_everywhere_is_in_doubt() -> None:
    region = Texts("await group.start()\n", "await group.start()\nawait group.stop()\n", "group.start()\n")
    assert uses_withdrawn(region, region)


def test_a_word_of_which_only_a_longer_one_is_left_counts_as_withdrawn() -> None:
    region = Texts("use(old)\n", "use(old)\nthen(old)\n", "use(older)\n")
    assert uses_withdrawn(region, region)


def test_the_same_word_put_into_a_line_by_both_is_in_doubt() -> None:
    region = Texts("take(a, b, c)\n", "take(x, a, b, c)\n", "take(a, b, c, x)\n")
    assert repeats(region, "take(x, a, b, c, x)\n")
    assert not repeats(region, "take(x, a, b, c)\n")


def test_a_line_put_among_lines_that_were_all_changed_is_in_doubt() -> None:
    base = "a = 1\nb = 2\nc = 3\n"
    changed = base.replace("=", ": int =")
    assert went_over(Texts(base, base + "d = 4\n", changed))
    assert not went_over(Texts(base, base.replace("2", "5"), changed))


def test_a_line_put_below_a_changed_one_is_in_doubt() -> None:
    base = "a = 1\nb = 2\n"
    assert follows_changed(Texts(base, "a = 1\nc = 3\nb = 2\n", "a = 5\nb = 2\n"))
    assert follows_changed(Texts(base, "a = 5\nb = 2\n", "a = 1\nc = 3\nb = 2\n"))


def test_a_line_put_above_a_changed_one_is_not() -> None:
    base = "a = 1\nb = 2\n"
    assert not follows_changed(Texts(base, "a = 1\nc = 3\nb = 2\n", "a = 1\nb = 5\n"))


def test_words_changed_in_lines_that_were_broken_anew_are_in_doubt() -> None:
    base = "call(one,\n     two)\n"
    assert lays_out(Texts(base, "call(one, two)\n", base.replace("two", "three")))
    assert not lays_out(Texts(base, "\n" + base, base.replace("two", "three")))


def test_a_change_of_a_line_that_the_other_side_has_elsewhere_is_in_doubt() -> None:
    region = Texts("first(a, b)\n", "first(a, c)\n", "second(a, b)\n")
    whole = Texts(region.base, region.ours, region.theirs + "\n" + region.base)
    assert chases_moved(region, whole)
    assert at_odds(region, whole)
    assert not chases_moved(region, region)
