"""One change in the making: decisions are made off the event loop, and land while nobody can type."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from time import perf_counter
from typing import TYPE_CHECKING, Final, Protocol

from anyio.lowlevel import checkpoint

from collab.errors import StoreUnavailable
from collab.ids import ClientId, FileId, JobId, Random, client_id, short_id
from collab.ledger import Ledger
from collab.merge.changeset import Decision, Intent, RenameFile, of_pieces
from collab.merge.landing import Ids, Landing, question_id
from collab.merge.rebasing import rebase
from collab.merge.suggestions import Suggestion
from collab.origin import ChangeOrigin
from collab.ports import Clock
from generation.changes import new_change
from generation.service import Asker, SuggestionView
from generation.views import ChangeKind
from server.door.ports import Host
from server.door.recording import Recorder

if TYPE_CHECKING:
    from server.door.door import Changeset

ROUNDS: Final = 5
"""So often a decision is made anew because somebody typed in the very lines; then the room is asked about them."""
TURN_SECONDS: Final = 0.004
FIRST, LEAST = 8, 2
"""How many changes land in the first turn of the loop, and in one at least; how long it took tells of the next."""
PART_CHARS: Final = 512 * 1024
"""A change whose record has come to hold so much text is noted in several parts."""

Texts = Mapping[str, str]


class Decides(Protocol):
    """Decides about intents; see ``collab.merge.changeset.decide``."""

    async def aside(self, base: Texts, live: Texts, intents: Sequence[Intent], moved: Texts) -> list[Decision]:
        """Decides while the rooms go on."""
        ...

    def now(self, base: Texts, live: Texts, intents: Sequence[Intent], moved: Texts) -> list[Decision]:
        """Decides at once."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to the room, with the three sides."""

    suggestion: str
    job: str
    path: str
    kind: str
    conflict: str
    reason: str
    base: str
    ours: str
    theirs: str

    def as_json(self) -> dict[str, str]:
        """For an answer over HTTP."""
        return asdict(self)

    @classmethod
    def of(cls, one: Suggestion) -> Asked:
        """A question that was just made."""
        return cls(
            one.suggestion, one.job, one.path, one.kind, one.conflict, one.reason, one.before, one.ours, one.after
        )

    @classmethod
    def seen(cls, one: SuggestionView) -> Asked:
        """A question that was asked before."""
        return cls(
            one.suggestion,
            one.job,
            one.path,
            one.kind,
            one.conflict,
            one.reason,
            one.before,
            one.current,
            one.after,
        )


@dataclass(slots=True)
class Written:
    """What became of a change. ``change`` is None if it did nothing, or cannot be noted for the time being.

    ``asked`` are the questions to the room; ``again``: the same was written before, and nothing was done now.
    """

    change: str | None = None
    decisions: list[Decision] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    again: bool = False
    late: bool = False
    """It is made but not noted yet, so that it cannot be undone as a change so far."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """The texts of some files as they were at one moment, by path, and which paths files of the base have now."""

    texts: dict[str, str]
    moved: dict[str, str]


class Writing:
    """Made by ``Door.begin``. Not for two tasks at once."""

    def __init__(
        self,
        host: Host,
        cause: ChangeKind,
        title: str,
        asker: Asker,
        change: JobId,
        decides: Decides,
        recorder: Recorder,
        clock: Clock,
        random: Random,
        *,
        shared: bool,
        more: bool,
    ) -> None:
        self._host = host
        self._cause = cause
        self._title = title
        self._asker = asker
        self._change = change
        self._decides = decides
        self._recorder = recorder
        self._clock = clock
        self._random = random
        self._shared = shared
        self._landing: Landing | None = None
        self._client = ClientId(0)
        self._ledger = Ledger()
        self._suggestions: list[Suggestion] = []
        self._paths: dict[str, None] = {}
        self._applied = 0
        self._chars = 0
        self._more = more
        self._most = FIRST
        self._written = Written()

    @property
    def change(self) -> JobId:
        """The id under which the change is to be noted."""
        return self._change

    async def add(self, changeset: Changeset, check: Callable[[], None] | None = None) -> list[Decision]:
        """Carries out a changeset. Raises LimitExceeded, InvalidPath, and what ``check`` raises."""
        if self._landing is None:
            self._client = client_id(self._random)
            self._landing = Landing(self._ids())
        base = {path: known.text for path, known in changeset.base.items()}
        seen = self._look(changeset)
        decisions = await self._decides.aside(base, seen.texts, changeset.intents, seen.moved)
        self._landing.prepare(self._host.document, decisions)
        await checkpoint()
        rounds = 0
        while True:
            now = self._look(changeset)
            if check is not None:
                check()
            fitting = _fit(decisions, seen, now, force=rounds == ROUNDS)
            if fitting is None and rounds == ROUNDS:
                # Files come and go: nothing may come between any more.
                fitting = self._decides.now(base, now.texts, changeset.intents, now.moved)
            if fitting is not None:
                break
            seen = now
            decisions = await self._decides.aside(base, seen.texts, changeset.intents, seen.moved)
            rounds += 1
        done = await self._land_all(changeset, base, fitting)
        self._written.decisions += done
        if self._chars >= PART_CHARS:
            await self._note()
        return done

    async def _land_all(self, changeset: Changeset, base: Texts, plan: list[Decision]) -> list[Decision]:
        """Lands what fits, in as many turns of the loop as it takes."""
        done: list[Decision] = []
        while True:
            chunk, plan = _first(plan, self._most)
            began = perf_counter()
            self._land(chunk)
            took = perf_counter() - began
            if took > TURN_SECONDS:
                self._most = max(LEAST, self._most // 2)
            elif took < TURN_SECONDS / 2:
                self._most *= 2
            seen = self._look(changeset)
            done = _together(done, chunk)
            await self._read_suggestions()
            if not plan:
                return done
            await checkpoint()
            plan = self._fit_rest(changeset, base, plan, seen)

    def _fit_rest(self, changeset: Changeset, base: Texts, plan: list[Decision], seen: _Seen) -> list[Decision]:
        """What is left to land, for the texts as they are now. What somebody has typed into is asked."""
        now = self._look(changeset)
        rest: list[Decision] = []
        anew: set[str] = set()
        names = {to: path for path, to in now.moved.items()}
        for decision in plan:
            fitting = _fit([decision], seen, now, force=True)
            if fitting is not None:
                rest += fitting
            else:
                anew.add(names.get(decision.path, decision.path))
        intents = [
            intent
            for intent in changeset.intents
            if intent.path in anew or (isinstance(intent, RenameFile) and intent.to in anew)
        ]
        return rest + self._decides.now(base, now.texts, intents, now.moved)

    async def finish(self) -> Written:
        """Waits until all is stored, and notes it. Raises StoreUnavailable: it is in the room but not stored."""
        failed: StoreUnavailable | None = None
        if not self._shared:
            await self._note()
        try:
            await stored(self._host)
        except StoreUnavailable as error:
            failed = error
        if self._shared:
            # The keeper looks for it in the log.
            await self._note()
        if failed is not None:
            raise failed
        return self._written

    def _look(self, changeset: Changeset) -> _Seen:
        self._host.flush()
        document = self._host.document
        listing = document.listing()
        paths = {intent.path for intent in changeset.intents}
        paths |= {intent.to for intent in changeset.intents if isinstance(intent, RenameFile)}
        moved: dict[str, str] = {}
        for path, known in changeset.base.items():
            file = listing.files.get(known.file) if known.file is not None else None
            if file is not None and file.shown != path and listing.by_path(path) is None:
                moved[path] = file.shown
                paths.add(file.shown)
        found = {path: listing.by_path(path) for path in paths}
        return _Seen({path: document.text(file.id) for path, file in found.items() if file is not None}, moved)

    def _land(self, decisions: Sequence[Decision]) -> None:
        landing, host = self._landing, self._host
        assert landing is not None
        try:
            update = landing.write(host.document, decisions)
            if update is not None:
                host.apply(update, ChangeOrigin(self._change, self._asker.person, self._cause))
        except BaseException:
            # What is in the fork is not in the room, so that nothing can go on from it.
            self._landing = None
            raise
        self._chars += sum(len(one.text) for one in landing.ledger.deleted + landing.ledger.removed)
        self._ledger.extend(landing.ledger)
        landing.ledger = Ledger()
        self._applied += sum(decision.landed for decision in decisions)
        self._paths.update(dict.fromkeys(one.path for one in decisions if one.outcome != "already"))

    async def _read_suggestions(self) -> None:
        assert self._landing is not None
        until = perf_counter() + TURN_SECONDS
        for suggestion in self._landing.suggestions(self._clock.wall_ms()):
            self._suggestions.append(suggestion)
            self._chars += len(suggestion.before) + len(suggestion.after) + len(suggestion.ours)
            if perf_counter() > until:
                await checkpoint()
                until = perf_counter() + TURN_SECONDS

    async def _note(self) -> None:
        """Has what was done since the last time noted."""
        self._written.asked += [Asked.of(one) for one in self._suggestions if one.state == "open"]
        if self._ledger.empty and not self._suggestions:
            return
        part = new_change(
            self._change,
            self._cause,
            self._title,
            self._client,
            list(self._paths),
            self._ledger,
            self._suggestions,
            self._applied,
            more=self._more,
        )
        self._landing = None
        self._ledger, self._suggestions, self._paths = Ledger(), [], {}
        self._applied = self._chars = 0
        noted = await self._recorder.record(self._host.room, part, self._asker)
        self._written.late = self._written.late or noted is None
        if noted is not None:
            self._change = JobId(noted)
            self._written.change = noted
        self._more = True

    def _ids(self) -> Ids:
        return Ids(
            self._change,
            self._client,
            client_id(self._random),
            lambda: FileId(short_id(self._random, "f_", 12)),
            lambda key: question_id(self._asker.person, key),
        )


def _fit(decisions: Sequence[Decision], seen: _Seen, now: _Seen, *, force: bool) -> list[Decision] | None:
    """The decisions about what was seen, for what is there now; None if they have to be made anew."""
    if seen.moved != now.moved:
        return None
    fitting: list[Decision] = []
    for decision in decisions:
        before, live = seen.texts.get(decision.path), now.texts.get(decision.path)
        if before == live and (decision.kind != "rename_file" or _free(decision, seen) == _free(decision, now)):
            fitting.append(decision)
        elif decision.kind == "hunk" and before is not None and live is not None:
            moved = rebase(decision, before, live, force=force)
            if moved is None:
                return None
            fitting.append(moved)
        else:
            return None
    return fitting


def _first(plan: list[Decision], most: int) -> tuple[list[Decision], list[Decision]]:
    """The first decisions, with about so many changes, and the rest. Of a file's lines the last come first, as
    those before them stay where they are.
    """
    chunk: list[Decision] = []
    count = 0
    for index, decision in enumerate(plan):
        if count + len(decision.changes) <= most:
            chunk.append(decision)
            count += len(decision.changes)
            continue
        at = len(decision.pieces)
        while at and (not chunk or count + len(decision.pieces[at - 1].changes) <= most):
            at -= 1
            count += len(decision.pieces[at].changes)
            if count >= most:
                break
        chunk.append(replace(decision, pieces=decision.pieces[at:]))
        rest = [replace(decision, pieces=decision.pieces[:at])] if at else []
        return chunk, rest + plan[index + 1 :]
    return chunk, []


def _together(done: list[Decision], more: list[Decision]) -> list[Decision]:
    """Decisions that landed in several turns, each as one."""
    found = {(one.path, one.kind): one for one in done}
    for one in more:
        known = found.get((one.path, one.kind))
        if known is not None and one.kind == "hunk":
            one = of_pieces(one.path, one.pieces + known.pieces, one.before, one.text)
        found[one.path, one.kind] = one
    return list(found.values())


def _free(decision: Decision, seen: _Seen) -> bool:
    return decision.text not in seen.texts


class _Durable(Protocol):
    async def durable(self) -> None: ...


async def stored(host: _Durable) -> None:
    """Returns when all that was done so far is durable. Raises StoreUnavailable in words for the asker."""
    try:
        await host.durable()
    except StoreUnavailable as error:
        raise StoreUnavailable(
            f"The change is in the room but not saved yet: {error.message} It is saved as soon as the store "
            "can; if the server stops before, it is lost. Ask for the file again to see."
        ) from error
