"""The tables [[prewarm]] of the settings: prompts that are asked ahead, so that answers are there at once."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from collab.errors import InvalidRoomName
from collab.ids import RoomId, room_id
from generation.prewarm import Wish

MOST_PREWARM: Final = 50
MOST_FILES: Final = 200


def room_name(value: str) -> str:
    """The name of a room. Raises ValueError."""
    try:
        return room_id(value)
    except InvalidRoomName as error:
        raise ValueError(error.message) from error


class PrewarmTable(BaseModel):
    """One [[prewarm]]."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    room: Annotated[str, AfterValidator(room_name)] = Field(description="The room in which it will be asked.")
    prompt: str = Field(
        min_length=1, max_length=32_000, description="The prompt, word for word as it will be asked."
    )
    files: list[str] = Field(
        default_factory=list, max_length=MOST_FILES, description="The files that the request will name."
    )
    strategy: Literal["targeted", "selective", "full"] | None = Field(
        default=None, description="The strategy that the request will name."
    )
    model: str | None = Field(default=None, description="The model that the request will name.")

    def __str__(self) -> str:
        return f"{self.room}: {self.prompt[:40]}"

    def wish(self) -> Wish:
        """The prompt as the engine takes it."""
        return Wish(RoomId(self.room), self.prompt, tuple(self.files), self.strategy, self.model)
