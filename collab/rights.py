"""What a role may do: one table, and one function that everybody asks.

    viewer      reads, is seen
    commenter   also writes chat lines, and suggests changes
    editor      also changes files, asks the AI, and decides about its changes
    owner       also gives roles, sets rules and budgets, reads the audit log, and deletes the room

A role holds for one person in one room. What it allows is decided by ``may`` alone, for both dialects, HTTP, the
command line, jobs and the resolver.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from collab.errors import NotAllowed


class Role(StrEnum):
    """What somebody is in a room; a later one may do all that those before it may."""

    VIEWER = "viewer"
    COMMENTER = "commenter"
    EDITOR = "editor"
    OWNER = "owner"

    @property
    def rank(self) -> int:
        """0 for a viewer, 3 for an owner."""
        return _RANKS[self]


class Right(StrEnum):
    """Something that a role may do in a room."""

    READ = "read"
    """Reads files, history, blame, jobs; searches; exports; is seen by the others."""
    CHAT = "chat"
    """Writes chat lines."""
    SUGGEST = "suggest"
    """Proposes a change of a file, which others decide about."""
    EDIT = "edit"
    """Changes files, on every way there is; restores; saves versions; takes back what somebody changed."""
    ASK = "ask"
    """Asks the AI, and says what becomes of its jobs."""
    DECIDE = "decide"
    """Answers suggestions and conflicts."""
    PROTECTED = "protected"
    """Accepts a change of a protected path, or one that was held for what it contains."""
    SETTINGS = "settings"
    """Changes the room's title, rules, merge policy and budgets."""
    ROLES = "roles"
    """Gives and takes roles, and makes invite links."""
    AUDIT = "audit"
    """Reads the room's audit log."""
    DELETE = "delete"
    """Deletes the room."""


_RANKS: Final[Mapping[Role, int]] = {role: rank for rank, role in enumerate(Role)}
LEAST: Final[Mapping[Right, Role]] = {
    Right.READ: Role.VIEWER,
    Right.CHAT: Role.COMMENTER,
    Right.SUGGEST: Role.COMMENTER,
    Right.EDIT: Role.EDITOR,
    Right.ASK: Role.EDITOR,
    Right.DECIDE: Role.EDITOR,
    Right.PROTECTED: Role.OWNER,
    Right.SETTINGS: Role.OWNER,
    Right.ROLES: Role.OWNER,
    Right.AUDIT: Role.OWNER,
    Right.DELETE: Role.OWNER,
}
"""The least role that has a right."""

_DOING: Final[Mapping[Right, str]] = {
    Right.READ: "read it",
    Right.CHAT: "write in its chat",
    Right.SUGGEST: "suggest changes",
    Right.EDIT: "change its files",
    Right.ASK: "ask the AI or say what becomes of its jobs",
    Right.DECIDE: "decide about suggestions",
    Right.PROTECTED: "accept what is protected or held for review",
    Right.SETTINGS: "change its settings",
    Right.ROLES: "give roles or invite somebody",
    Right.AUDIT: "read its audit log",
    Right.DELETE: "delete it",
}


def may(role: Role | None, right: Right) -> bool:
    """Whether somebody with this role in a room has the right there; None is no role at all."""
    return role is not None and role.rank >= LEAST[right].rank


def require(role: Role | None, right: Right) -> None:
    """Raises NotAllowed, in words, unless ``may``."""
    if may(role, right):
        return
    standing = "You have no role in this room" if role is None else f"You are {_named(role)} of this room"
    raise NotAllowed(
        f"{standing}; to {_DOING[right]}, you have to be {_named(LEAST[right])}. Ask one of its owners."
    )


def _named(role: Role) -> str:
    return f"an {role}" if role[0] in "aeiou" else f"a {role}"
