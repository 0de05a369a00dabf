"""The settings of one process, with their defaults and rules.

``server.settings_loading`` puts them together from outside; ``Settings(...)`` itself reads nothing, so that a test
gets what it asks for.
"""

from __future__ import annotations

import ipaddress
import json
import socket
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import quote, urlsplit

import platformdirs
from pydantic import (
    AfterValidator,
    ByteSize,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from collab.errors import InvalidInput
from collab.history.thinning import DEFAULT, parse_steps
from collab.limits import MIB, Limits
from generation.cache import CacheBounds
from server.model_settings import ProviderTable, check_tables, http_url
from server.prewarm_settings import MOST_PREWARM, PrewarmTable, room_name

PREFIX: Final = "PAIRLOOM_"

_REDIS_SCHEMES: Final = (
    "redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster",
)  # fmt: skip

_DEFAULTS: Final = Limits()
_OPEN_ADDRESS: Final = (
    "host is {host}, which other machines can reach, and there is no sign-in yet: everybody who reaches it "
    "could read and change every room. Keep host at 127.0.0.1 and let people in by an SSH tunnel "
    "(ssh -L 8000:127.0.0.1:8000 this-machine) or by a reverse proxy with sign-in on this machine. Where "
    "everybody who reaches the address may do everything, such as inside a container whose port is published "
    "on 127.0.0.1 only, set trusted_network to true."
)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address; a name other than localhost counts as reachable."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _redis_url(value: SecretStr) -> SecretStr:
    if urlsplit(value.get_secret_value()).scheme not in _REDIS_SCHEMES:
        raise ValueError(f"must be a URL that starts with one of {'://, '.join(_REDIS_SCHEMES)}://")
    return value


def _steps(value: str) -> str:
    try:
        parse_steps(value)
    except InvalidInput as error:
        raise ValueError(error.message) from error
    return value


def _size(default: int, description: str) -> ByteSize:
    size: ByteSize = Field(default=ByteSize(default), gt=0, description=description)
    return size


def _count(default: int, description: str) -> int:
    count: int = Field(default=default, gt=0, description=description)
    return count


def _bound(description: str) -> int | None:
    bound: int | None = Field(default=None, gt=0, description=description)
    return bound


def _money(description: str) -> float | None:
    money: float | None = Field(default=None, gt=0, allow_inf_nan=False, description=description)
    return money


def _seconds(default: float, description: str) -> float:
    seconds: float = Field(default=default, gt=0, allow_inf_nan=False, description=description)
    return seconds


class Settings(BaseSettings):
    """Everything that can be set. Sizes take a number of bytes or a text such as ``16MiB``."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        validate_default=True,
    )

    host: str = Field(default="127.0.0.1", min_length=1, description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    trusted_network: bool = Field(
        default=False,
        description="Says that everybody who can reach the address may read and change every room. "
        "Needed to listen on an address that other machines reach, as there is no sign-in yet.",
    )
    allowed_origins: Annotated[list[str], NoDecode] = Field(
        default_factory=list,
        description="Further web origins whose pages may connect, such as https://pairloom.example.org, "
        "separated by commas. Pages that this server serves always may.",
    )
    room: Annotated[str, AfterValidator(room_name)] = Field(
        default="main", description="Room that the bare address opens."
    )

    data_dir: Path = Field(
        default_factory=lambda: Path(platformdirs.user_data_dir("pairloom", appauthor=False)),
        description="Folder that holds what is stored. The default is the user's data folder.",
    )
    database: Path | None = Field(
        default=None, description="File of the embedded store. The default is pairloom.db in data_dir."
    )
    redis_url: Annotated[SecretStr, AfterValidator(_redis_url)] | None = Field(
        default=None,
        description="Redis that holds the rooms, for all processes that have the same URL: redis://, rediss:// "
        "or unix://, redis+sentinel://HOST:PORT,HOST:PORT/SERVICE, or redis+cluster://HOST:PORT,HOST:PORT. "
        "Without it, rooms are in the embedded store.",
    )
    redis_prefix: str = Field(
        default="pairloom:",
        pattern=r"^[A-Za-z0-9._:-]{1,64}$",
        description="What all keys and channels in Redis begin with; the same for all processes that share rooms.",
    )
    node_name: str = Field(
        default_factory=socket.gethostname,
        max_length=80,
        description="What lists and logs call this process. The default is the machine's name.",
    )
    workers: int = Field(
        default=1,
        ge=1,
        le=64,
        description="Processes that serve on the same address. More than one need redis_url.",
    )
    commit_interval_ms: float = Field(
        default=250.0,
        ge=0,
        le=5_000,
        description="Milliseconds for which edits are collected before one commit stores them together.",
    )

    drain_seconds: float = Field(
        default=2.0,
        ge=0,
        le=60,
        description="Seconds over which a node that stops ends its connections, so that not all of its clients "
        "come to the others at once.",
    )

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least important messages that are logged."
    )
    log_format: Literal["text", "json"] = Field(
        default="text", description="How the log is written: text for people, json for machines."
    )

    model: str | None = Field(
        default=None,
        min_length=1,
        description="Model that answers, as its provider calls it; with providers, the name of the one that is "
        "asked first. Without any, templates answer and say so.",
    )
    base_url: Annotated[str, AfterValidator(http_url)] | None = Field(
        default=None,
        description="Address of an OpenAI-compatible endpoint, such as http://127.0.0.1:11434/v1. "
        "The default is OpenAI's.",
    )
    api_key: SecretStr | None = Field(
        default=None, description="Key for the model's provider. The default is what OPENAI_API_KEY holds."
    )
    model_context_tokens: int = Field(
        default=128_000, ge=1_000, description="Tokens that the model takes in, prompt and answer together."
    )
    providers: Annotated[list[ProviderTable], NoDecode] = Field(
        default_factory=list,
        description="Several providers and their models, in tables of the settings file; as a variable, a JSON "
        "list. They take the place of base_url, api_key and model_context_tokens.",
    )
    fallback: Annotated[list[str], NoDecode] = Field(
        default_factory=list,
        description="Names of models in the order in which one stands in for another, separated by commas. Those "
        "that it does not name follow as they are in providers.",
    )
    model_timeout_connect: float = _seconds(10.0, "Seconds to wait for a connection to the provider.")
    model_timeout_first_token: float = _seconds(60.0, "Seconds to wait for the first token of an answer.")
    model_timeout_silence: float = _seconds(30.0, "Seconds without a token after which an answer counts as cut.")
    model_timeout_total: float = _seconds(600.0, "Seconds that one answer may take.")
    merge_interval_ms: float = Field(
        default=40.0,
        gt=0,
        le=5_000,
        description="Milliseconds between two merges of what a job writes into the room.",
    )
    context_tokens: int = Field(
        default=32_000,
        ge=1_000,
        description="Tokens of the project that are enough for one prompt, in the estimate of the server. More "
        "are sent only of what the request names, and never more than the model takes.",
    )
    summary_model: str | None = Field(
        default=None,
        min_length=1,
        description="Model that sums up long files which do not fit into a prompt, by its name. Without one, "
        "their signatures and docstrings stand for them.",
    )
    embedding_model: str | None = Field(
        default=None,
        min_length=1,
        description="Model that makes vectors of texts, as its provider calls it. With one, files are found by "
        "their meaning too, and POST /api/embeddings answers.",
    )
    embedding_base_url: Annotated[str, AfterValidator(http_url)] | None = Field(
        default=None,
        description="Address of the OpenAI-compatible endpoint that makes vectors. The default is base_url, and "
        "else OpenAI's.",
    )
    embedding_api_key: SecretStr | None = Field(
        default=None,
        description="Key for embedding_base_url. Without embedding_base_url, the default is api_key.",
    )
    jobs_running: int = _count(4, "Jobs that run at the same time on this process; others wait.")
    jobs_running_per_room: int = _count(3, "Jobs of one room that run at the same time.")
    answer_cache: bool = Field(
        default=True,
        description="Whether an answer is used again when exactly the same is asked in the room: the same prompt, "
        "texts, rules and model. A retry always asks anew, and so does a request with fresh.",
    )
    answer_cache_minutes: float = Field(
        default=15.0, gt=0, le=1440, description="Minutes for which an answer may be used again."
    )
    answer_cache_entries: int = Field(
        default=1_000, gt=0, le=100_000, description="Answers that are kept for that, of all rooms together."
    )
    prewarm: Annotated[list[PrewarmTable], NoDecode] = Field(
        default_factory=list,
        max_length=MOST_PREWARM,
        description="Prompts that are asked ahead for the cache of answers, in tables of the settings file; as a "
        "variable, a JSON list.",
    )
    prewarm_minutes: float = Field(
        default=5.0,
        ge=0.1,
        le=1440,
        description="Minutes between two looks whether what they are about has changed, so that they are asked "
        "anew.",
    )

    history_interval_minutes: float = Field(
        default=5.0,
        ge=0,
        le=1440,
        description="Minutes of work after which a room gets a version by itself, as it does when the last person "
        "leaves. 0: only jobs, names, imports and restores make versions.",
    )
    history_keep: Annotated[str, AfterValidator(_steps)] = Field(
        default=DEFAULT,
        description="How long versions without a name are kept: all of them, then one of every so long, up to so "
        "old. m, h and d stand for minutes, hours and days.",
    )
    history_bytes: ByteSize = _size(
        64 * MIB, "Most bytes that the versions of one room take; the oldest without a name go first."
    )

    remembered_bytes: ByteSize = _size(
        32 * MIB,
        "Memory for texts that were read and written over HTTP: a PUT that names an older version is merged as "
        "long as that is remembered.",
    )

    limit_frame_bytes: ByteSize = _size(_DEFAULTS.frame_bytes, "Largest WebSocket message.")
    limit_document_bytes: ByteSize = _size(_DEFAULTS.document_bytes, "Largest encoded state of one room.")
    limit_file_bytes: ByteSize = _size(_DEFAULTS.file_bytes, "Largest file at import, upload or whole-file write.")
    limit_files: int = _count(_DEFAULTS.files, "Files in one room.")
    limit_pending_bytes: ByteSize = _size(
        _DEFAULTS.pending_bytes, "Updates of one room that wait for a missing one."
    )
    limit_backlog_bytes: ByteSize = _size(
        _DEFAULTS.backlog_bytes,
        "Updates of one room that wait for a store that cannot be reached, before they are put together.",
    )
    limit_presence_bytes: ByteSize = _size(_DEFAULTS.presence_bytes, "Largest awareness state of one client.")
    limit_presence_clients: int = _count(_DEFAULTS.presence_clients, "Awareness states in one room.")
    limit_presence_timeout: float = _seconds(
        _DEFAULTS.presence_timeout, "Seconds after which an awareness state that nobody renewed is dropped."
    )
    limit_outbox_bytes: ByteSize = _size(
        _DEFAULTS.outbox_bytes,
        "Bytes that wait for one slow reader before its updates are dropped and caught up later.",
    )
    limit_connections: int = _count(_DEFAULTS.connections, "Connections of the process.")
    limit_room_connections: int = _count(_DEFAULTS.room_connections, "Connections of one room.")
    limit_open_rooms: int = _count(_DEFAULTS.open_rooms, "Rooms in memory; idle ones are unloaded first.")
    limit_idle_room_seconds: float = _seconds(
        _DEFAULTS.idle_room_seconds,
        "Seconds after which a room without connections and jobs is unloaded; one that loads quickly goes sooner.",
    )
    limit_prompt_chars: int = _count(_DEFAULTS.prompt_chars, "Characters in one prompt.")
    limit_jobs_per_room: int = _count(_DEFAULTS.jobs_per_room, "Jobs of one room that wait, are paused or run.")
    limit_jobs_per_person: int = _count(20, "Jobs of one person that wait, are paused or run, in all rooms.")
    limit_jobs: int = _count(500, "Jobs of all rooms and processes that wait, are paused or run.")
    hourly_jobs_per_person: int | None = _bound("Jobs that one person may ask for within an hour.")
    hourly_jobs_per_room: int | None = _bound("Jobs that may be asked for in one room within an hour.")
    hourly_jobs: int | None = _bound("Jobs that may be asked for within an hour, by all together.")
    hourly_tokens_per_person: int | None = _bound(
        "Tokens, of requests and answers, that one person's jobs may use within an hour. A job that runs is not "
        "cut off; the next one does not begin."
    )
    hourly_tokens_per_room: int | None = _bound("Tokens that the jobs of one room may use within an hour.")
    hourly_tokens: int | None = _bound("Tokens that all jobs may use within an hour.")
    hourly_cost_per_person: float | None = _money(
        "US dollars that one person's jobs may cost within an hour. Only models with prices count."
    )
    hourly_cost_per_room: float | None = _money("US dollars that the jobs of one room may cost within an hour.")
    hourly_cost: float | None = _money("US dollars that all jobs may cost within an hour.")
    limit_operation_history: int = _count(
        _DEFAULTS.operation_history, "Text operations per file that a native client may lag behind."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is passed in: ``load`` puts the sources together and knows where a value came from."""
        return (init_settings,)

    @field_validator("providers", "prewarm", mode="before")
    @classmethod
    def _read_tables(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError as error:
            raise ValueError(f"is no valid JSON: {error}") from None

    @field_validator("allowed_origins", "fallback", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("allowed_origins")
    @classmethod
    def _check_origins(cls, value: list[str]) -> list[str]:
        for origin in value:
            parts = urlsplit(origin)
            if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path not in {"", "/"}:
                raise ValueError(f"{origin!r} is no origin; write it like https://pairloom.example.org")
        return [origin.rstrip("/").lower() for origin in value]

    @field_validator("data_dir", "database")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return value.expanduser().absolute() if value is not None else None

    @model_validator(mode="after")
    def _refuse_open_address(self) -> Settings:
        if not is_loopback(self.host) and not self.trusted_network:
            raise ValueError(_OPEN_ADDRESS.format(host=self.host))
        return self

    @model_validator(mode="after")
    def _check_models(self) -> Settings:
        check_tables(self.providers, self.fallback)
        names = [model.name for provider in self.providers for model in provider.models]
        if names and self.model is not None and self.model not in names:
            raise ValueError(f"model is {self.model!r}, which is no model of providers: {', '.join(names)}")
        if names and self.base_url is not None:
            raise ValueError("base_url goes with model alone; with providers, each of them has its own base_url")
        return self

    @model_validator(mode="after")
    def _check_prewarm(self) -> Settings:
        if self.prewarm and not self.answer_cache:
            raise ValueError("prewarm fills the cache of answers: set answer_cache to true, or leave prewarm out")
        return self

    @model_validator(mode="after")
    def _refuse_lone_workers(self) -> Settings:
        if self.workers > 1 and self.redis_url is None:
            raise ValueError(
                f"workers is {self.workers}, but processes share rooms over Redis only: set redis_url too, such "
                "as redis://127.0.0.1:6379/0, or leave workers at 1."
            )
        return self

    @property
    def database_path(self) -> Path:
        """The embedded store's file."""
        return self.database if self.database is not None else self.data_dir / "pairloom.db"

    @property
    def address(self) -> str:
        """The URL at which this machine reaches the server, without a slash at the end."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)  # noqa: S104 - not bound here
        if ":" in host and not host.startswith("["):
            host = f"[{host}]"
        return f"http://{host}:{self.port}"

    @property
    def room_url(self) -> str:
        """The URL of the default room's page."""
        return f"{self.address}/r/{quote(self.room, safe='/%')}"

    def limits(self) -> Limits:
        """The bounds that the core takes."""
        kinds = {"int": int, "float": float}
        return Limits(**{f.name: kinds[str(f.type)](getattr(self, f"limit_{f.name}")) for f in fields(Limits)})

    def cache_bounds(self) -> CacheBounds:
        """What the cache of answers holds at most."""
        return CacheBounds(self.answer_cache_entries, self.answer_cache_minutes * 60)

    def secrets(self) -> list[str]:
        """Values that must appear in no log and no message."""
        values = (
            self.api_key,
            self.embedding_api_key,
            self.redis_url,
            *(provider.key for provider in self.providers),
        )
        return [value.get_secret_value() for value in values if value is not None]
