"""The merge engine on real merges. How they are scored is told in docs/merging.md."""

from collab.syntax.syntax import Syntax
from tests.collab.merge.three.scoring import by_pairloom, cases, drops, score


def test_all_that_git_merges_is_right() -> None:
    syntax = Syntax()
    found = score(
        (case for case in cases() if not case.git_conflicts), lambda case: by_pairloom(case, syntax), syntax
    )
    assert len(found.right) == 150, found


def test_most_of_what_git_gives_up_on_and_is_merged_is_right_and_nothing_is_lost() -> None:
    syntax = Syntax()
    found = score((case for case in cases() if case.git_conflicts), lambda case: by_pairloom(case, syntax), syntax)
    assert not found.dropping
    assert not found.broken
    assert len(found.right) >= 44
    assert len(found.different) <= 12


def test_the_score_sees_what_was_lost() -> None:
    assert drops("a\n", "a new\n", "a\n", "a\n")
    assert drops("a b\nc d\n", "a b\n", "a b\nc d\n", "a b\nc d\n")
    assert not drops("a\n", "a new\n", "b\n", "b new\n")
