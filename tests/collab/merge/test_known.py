"""A job's fork is brought up to the live document where that matters to it."""

from __future__ import annotations

from collab.document import Document
from collab.ids import ClientId, FileId
from collab.merge.hunks import HunkId
from collab.merge.session import MergeSession

OTHER, NEW = FileId("other"), FileId("new")


class Job:
    """A job that writes a new file beside people."""

    def __init__(self, *, watched: bool = True) -> None:
        self.live = Document(ClientId(1))
        if watched:
            self.live.watch_files()
        self.live.edit(lambda editor: editor.create(OTHER, "other.txt", "other\n"))
        self.session = MergeSession(self.live, ClientId(2))
        self.hunk: HunkId = self.session.open_file(NEW, "new.txt")

    def write(self, text: str) -> None:
        self.session.write(self.hunk, text)
        update = self.session.pull(self.live).update
        assert update is not None
        self.session.merged(self.live.apply([update], track=True), self.live)

    def type(self, file: FileId, at: int, text: str) -> None:
        self.live.edit(lambda editor: editor.splice(file, at, at, text))

    @property
    def up_to_date(self) -> bool:
        return self.session._work.seen == self.live.version


def test_what_people_type_elsewhere_is_not_taken_in() -> None:
    job = Job()
    job.write("one\n")
    job.type(OTHER, 0, "typed ")
    for word in ("two", " three"):
        job.write(word)
        assert not job.up_to_date
    assert job.live.text(NEW) == "one\ntwo three"


def test_what_people_type_in_its_file_is_seen_and_kept() -> None:
    job = Job()
    job.write("one\n")
    job.type(OTHER, 0, "typed ")
    job.write("two\n")
    job.type(NEW, 0, "# by hand\n")
    job.write("three")
    assert job.up_to_date
    job.write(" four\n")
    job.session.close(job.hunk)
    update = job.session.pull(job.live).update
    assert update is None
    assert job.live.text(NEW) == "# by hand\none\ntwo\nthree four\n"


def test_a_file_of_the_same_path_is_noticed() -> None:
    job = Job()
    job.live.edit(lambda editor: editor.create(FileId("theirs"), "new.txt", "theirs"))
    job.session.write(job.hunk, "mine\n")
    job.session.close(job.hunk)
    pull = job.session.pull(job.live)
    assert pull.update is None
    assert [blocked.path for blocked in pull.blocked] == ["new.txt"]


def test_where_nobody_counts_changes_all_is_taken_in() -> None:
    job = Job(watched=False)
    job.write("one\n")
    job.type(OTHER, 0, "typed ")
    job.write("two\n")
    assert job.up_to_date
