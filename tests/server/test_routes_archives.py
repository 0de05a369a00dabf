from __future__ import annotations

import asyncio
import io
import zipfile
from time import thread_time

import pytest

from collab.document import Document
from collab.editor import Editor
from collab.ids import FileId
from collab.origin import ChangeOrigin
from server.routes.zip_stream import ZipStream
from server.settings import Settings
from tests.server.routes_fakes import FakeState, error_of

IMPORT = "/api/rooms/main/import"
EXPORT = "/api/rooms/main/export"
ZIP = {"Content-Type": "application/zip"}


def zipped(files: dict[str, bytes]) -> bytes:
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w") as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    return output.getvalue()


def unzipped(data: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name).decode() for name in archive.namelist()}


async def test_an_import_creates_updates_and_leaves_alone() -> None:
    state = FakeState()
    host = state.hub.host()
    async with state.client() as client:
        await client.post(f"{IMPORT}?name=Kim&last=0", content=zipped({"changed.py": b"one\ntwo\n"}), headers=ZIP)
    found = host.document.listing().by_path("changed.py")
    assert found is not None
    changed = found.id
    host.put("same.txt", "same")
    host.put("elsewhere.txt", "kept")
    anchor = host.document.anchor(changed, 6)
    body = zipped(
        {
            "changed.py": b"zero\none\ntwo\n",
            "same.txt": b"same",
            "dir/new ü.txt": b"new",
            "logo.png": b"\x89PNG\0",
        }
    )
    async with state.client() as client:
        response = await client.post(f"{IMPORT}?name=Kim", content=body, headers=ZIP)
    assert response.status_code == 200
    answer = response.json()
    assert answer["created"] == ["dir/new ü.txt"]
    assert answer["updated"] == ["changed.py"]
    assert answer["unchanged"] == 1
    assert answer["left_out"] == [{"path": "logo.png", "reason": "is a binary file"}]
    assert host.text("changed.py") == "zero\none\ntwo\n"
    assert host.document.resolve(changed, anchor) == 11
    assert host.text("elsewhere.txt") == "kept"
    assert {(origin.person, origin.what) for origin in host.origins if isinstance(origin, ChangeOrigin)} == {
        ("http:Kim", "import")
    }
    assert answer["change"] is not None
    assert host.stored_version == host.document.version
    assert state.history.asked == [("imported", "main", "Kim")]


async def test_gitignore_is_honoured_unless_the_sender_did_that() -> None:
    body = zipped({".gitignore": b"*.log\n", "a.log": b"x", "a.py": b"x"})
    state = FakeState()
    async with state.client() as client:
        first = (await client.post(IMPORT, content=body, headers=ZIP)).json()
        second = (await client.post(f"{IMPORT}?gitignore=0", content=body, headers=ZIP)).json()
        third = await client.post(f"{IMPORT}?gitignore=no", content=body, headers=ZIP)
    assert [one["path"] for one in first["left_out"]] == ["a.log"]
    assert second["created"] == ["a.log"]
    assert error_of(third)[3] == "gitignore"


async def test_files_over_the_rooms_bounds_are_left_out_with_the_setting_to_change() -> None:
    state = FakeState(Settings(limit_files=2))
    state.hub.host().put("there.txt", "")
    async with state.client() as client:
        body = zipped({"a.txt": b"a", "b.txt": b"b"})
        answer = (await client.post(IMPORT, content=body, headers=ZIP)).json()
    assert answer["created"] == ["a.txt"]
    assert answer["left_out"][0]["path"] == "b.txt"
    assert "limit_files" in answer["left_out"][0]["reason"]

    state = FakeState(Settings(limit_document_bytes=4000))
    state.hub.host().put("there.txt", "x" * 3000)
    async with state.client() as client:
        body = zipped({"a.txt": b"a" * 500, "b.txt": b"b" * 900})
        answer = (await client.post(IMPORT, content=body, headers=ZIP)).json()
    assert answer["created"] == ["a.txt"]
    assert "limit_document_bytes" in answer["left_out"][0]["reason"]


async def test_an_edit_that_arrives_with_the_import_is_merged() -> None:
    state = FakeState()
    host = state.hub.host()
    async with state.client() as client:
        await client.post(IMPORT, content=zipped({"a.txt": b"one\ntwo\n"}), headers=ZIP)
        found = host.document.listing().by_path("a.txt")
        assert found is not None
        file = found.id
        host.incoming = lambda editor: editor.splice(file, 0, 0, "typed\n")
        body = zipped({"a.txt": b"one\ntwo\nthree\n"})
        answer = (await client.post(IMPORT, content=body, headers=ZIP)).json()
    assert answer["merged"] == ["a.txt"]
    assert host.text("a.txt") == "typed\none\ntwo\nthree\n"


async def test_a_file_deleted_during_the_import_stays_deleted_until_the_room_has_answered() -> None:
    state = FakeState()
    host = state.hub.host()
    async with state.client() as client:
        await client.post(IMPORT, content=zipped({"a.txt": b"one\n"}), headers=ZIP)
        found = host.document.listing().by_path("a.txt")
        assert found is not None
        file = found.id
        host.incoming = lambda editor: editor.delete(file)
        body = zipped({"a.txt": b"two\n", "b.txt": b"b"})
        answer = (await client.post(IMPORT, content=body, headers=ZIP)).json()
    assert answer["updated"] == []
    assert answer["created"] == ["b.txt"]
    assert answer["conflicts"][0]["path"] == "a.txt"
    assert host.paths() == ["b.txt"]


@pytest.mark.parametrize("body", [b"", b"no zip", zipped({"a": b"x"})[:-30]], ids=["empty", "text", "cut off"])
async def test_what_is_no_zip_is_refused(body: bytes) -> None:
    state = FakeState()
    async with state.client() as client:
        response = await client.post(IMPORT, content=body, headers=ZIP)
    assert error_of(response)[0] == 400
    assert state.hub.host().paths() == []


async def test_an_import_that_is_not_stored_is_not_called_imported() -> None:
    state = FakeState()
    state.hub.host().refuses = True
    async with state.client() as client:
        response = await client.post(IMPORT, content=zipped({"a": b"x"}), headers=ZIP)
    assert error_of(response)[:2] == (503, "store_unavailable")


async def test_an_import_of_another_type_or_too_large_is_refused() -> None:
    state = FakeState(Settings(limit_document_bytes=100))
    async with state.client() as client:
        form = {"Content-Type": "multipart/form-data; boundary=x"}
        assert error_of(await client.post(IMPORT, content=b"x", headers=form))[0] == 415
        assert error_of(await client.post(IMPORT, content=b"x" * 101, headers=ZIP))[0] == 413


async def test_others_have_their_turn_while_thousands_of_files_come_in() -> None:
    state = FakeState()
    body = zipped({f"src/dir{n % 50}/file{n}.py": b"x = 1\n" * 50 for n in range(3000)})
    longest = 0.0
    async with state.client() as client:
        task = asyncio.create_task(client.post(IMPORT, content=body, headers=ZIP))
        turns = 0
        while not task.done():
            began = thread_time()
            await asyncio.sleep(0)
            longest = max(longest, thread_time() - began)
            turns += 1
        response = await task
    assert len(response.json()["created"]) == 3000
    # One transaction of all files would be one turn. Processor time, as other work shares the machine.
    assert len(state.hub.host().origins) >= 30
    assert turns > 30
    assert longest < 1.0


async def test_an_export_holds_every_file_and_is_the_same_each_time() -> None:
    state = FakeState()
    host = state.hub.host()
    host.put("src/ü.py", "Grüße 😀\r\n")
    host.put("a.txt", "a")
    host.put("empty", "")
    async with state.client() as client:
        first = await client.get(EXPORT)
        second = await client.get(EXPORT)
        head = await client.head(EXPORT)
    assert first.headers["content-type"] == "application/zip"
    assert first.headers["content-disposition"] == 'attachment; filename="main.zip"'
    assert unzipped(first.content) == {"a.txt": "a", "empty": "", "src/ü.py": "Grüße 😀\r\n"}
    assert first.content == second.content
    assert head.status_code == 200


async def test_an_export_of_many_files_comes_in_pieces_and_can_be_imported_again() -> None:
    state = FakeState()
    host = state.hub.host()

    def many(editor: Editor) -> None:
        for number in range(1000):
            editor.create(FileId(f"f{number}"), f"dir/file{number}.txt", f"text {number}\n" * 20)

    host.document.edit(many)
    async with state.client() as client:
        archive = (await client.get(EXPORT)).content
        answer = (await client.post("/api/rooms/copy/import", content=archive, headers=ZIP)).json()
    assert len(answer["created"]) == 1000
    assert answer["left_out"] == []
    copy: Document = state.hub.host("copy").document
    assert {f.shown for f in copy.listing().files.values()} == set(host.paths())


async def test_an_export_of_a_room_that_nobody_wrote_to_is_not_found() -> None:
    async with FakeState().client() as client:
        assert error_of(await client.get(EXPORT))[0] == 404


async def test_a_download_name_has_only_plain_characters() -> None:
    state = FakeState()
    state.hub.host("a/b%22;x").put("a", "a")
    async with state.client() as client:
        response = await client.get("/api/rooms/a%2Fb%2522;x/export")
    assert response.headers["content-disposition"] == 'attachment; filename="a-b-22-x.zip"'


def test_a_zip_stream_gives_the_archive_piece_by_piece() -> None:
    stream = ZipStream()
    first = stream.add([("a", "1")])
    second = stream.add([("b", "2")])
    assert first
    assert second
    assert unzipped(first + second + stream.finish()) == {"a": "1", "b": "2"}
