from collab.merge.three.placing import placed


def test_what_goes_on_with_the_block_comes_before_a_new_paragraph() -> None:
    ours, theirs = "    loop.close()\n", "\n\ndef following():\n    pass\n"
    assert placed("def first():\n    loop.run()\n", ours, theirs, "") == ours + theirs
    assert placed("def first():\n    loop.run()\n", theirs, ours, "") == ours + theirs


def test_a_decorator_stays_with_its_function() -> None:
    ours, theirs = "@cached\n", "def new(self):\n    pass\n\n"
    assert placed("class A:\n\n", ours, theirs, "def old(self):\n    pass\n") == theirs + ours


def test_two_paragraphs_have_no_order() -> None:
    assert placed("first\n", "\nours\n", "\ntheirs\n", "") is None


def test_two_lines_in_one_paragraph_have_no_order() -> None:
    assert placed("first\n", "ours\n", "theirs\n", "last\n") is None


def test_signs_that_contradict_each_other_tell_no_order() -> None:
    assert placed("first\n", "ours\n", "\ntheirs\n\n", "last\n") is None


def test_what_would_come_into_another_block_has_no_place() -> None:
    ours, theirs = "\n    check()\n", "    act()\n\ndef following():\n    pass\n"
    assert placed("def first():\n    begin()\n", ours, theirs, "") is None
