"""The table of rights: each right times each role."""

from __future__ import annotations

import pytest

from collab.errors import NotAllowed
from collab.rights import LEAST, Right, Role, may, require

V, C, E, OWN = Role.VIEWER, Role.COMMENTER, Role.EDITOR, Role.OWNER
EXPECTED = {
    Right.READ: {V, C, E, OWN},
    Right.CHAT: {C, E, OWN},
    Right.SUGGEST: {C, E, OWN},
    Right.EDIT: {E, OWN},
    Right.ASK: {E, OWN},
    Right.DECIDE: {E, OWN},
    Right.PROTECTED: {OWN},
    Right.SETTINGS: {OWN},
    Right.ROLES: {OWN},
    Right.AUDIT: {OWN},
    Right.DELETE: {OWN},
}


@pytest.mark.parametrize("right", Right)
def test_each_role_has_exactly_its_rights(right: Right) -> None:
    assert {role for role in Role if may(role, right)} == EXPECTED[right]
    assert not may(None, right)


def test_no_right_is_without_a_rule() -> None:
    assert set(LEAST) == set(Right)


@pytest.mark.parametrize("right", Right)
def test_a_refusal_says_what_is_missing(right: Right) -> None:
    require(Role.OWNER, right)
    with pytest.raises(NotAllowed) as refused:
        require(None, right)
    assert str(LEAST[right]) in refused.value.message
    assert "Ask one of its owners" in refused.value.message


def test_a_refusal_names_the_role_that_one_has() -> None:
    with pytest.raises(NotAllowed, match="You are a viewer of this room; to change its files"):
        require(Role.VIEWER, Right.EDIT)
