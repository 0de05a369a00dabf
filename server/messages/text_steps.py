"""Between the components of text operations as they travel and ``collab.text_ops``; both in UTF-16 units."""

from __future__ import annotations

from collections.abc import Iterable

from collab import text_ops
from server.messages.parts import Component, Delete, Insert, Retain


def to_op(components: Iterable[Component]) -> text_ops.TextOp:
    """The operation that a client sent."""
    op: list[text_ops.Step] = []
    for component in components:
        match component:
            case Retain(retain=length):
                op.append(text_ops.Retain(length))
            case Insert(insert=text):
                op.append(text_ops.Insert(text))
            case Delete(delete=length):
                op.append(text_ops.Delete(length))
    return tuple(op)


def to_components(op: text_ops.TextOp) -> list[Component]:
    """The operation as clients are sent it."""
    components: list[Component] = []
    for step in op:
        match step:
            case text_ops.Retain(length=length):
                components.append(Retain(retain=length))
            case text_ops.Insert(text=text):
                components.append(Insert(insert=text))
            case text_ops.Delete(length=length):
                components.append(Delete(delete=length))
    return components
