"""How a model is told to go on with an answer that was broken off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from generation.kept import Kept
from generation.ports import Message

_GO_ON: Final = (
    "Your answer was broken off. What stands above of it is done and need not be said again. Go on with what is "
    "still missing, in the same format; begin with the path of the file. If nothing is missing, say so in one "
    "sentence."
)
_DONE: Final = (
    "An earlier answer to this was broken off. It has changed these files, which are shown above as they were "
    "before:\n\n{paths}\n\nGo on with what is still missing. Changes that you repeat must be exactly the same."
)


def go_on(messages: Sequence[Message], kept: Kept, *, prefill: bool) -> list[Message]:
    """The messages of a request, for a further one that goes on after ``kept``.

    The messages that were sent before stay as they were, so that a provider's cache knows them. With ``prefill``
    the model writes on from the end of ``kept`` as if it had never stopped.
    """
    if not kept:
        return list(messages)
    text = kept.text()
    if not text:
        return [*messages, Message("user", _DONE.format(paths="\n".join(kept.paths())))]
    # Providers refuse a beginning that ends in white space.
    begun = Message("assistant", text.rstrip())
    return [*messages, begun] if prefill else [*messages, begun, Message("user", _GO_ON)]
