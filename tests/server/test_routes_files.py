from __future__ import annotations

import pytest

from collab.editor import Editor
from collab.ids import FileId
from collab.origin import ChangeOrigin
from server.routes.etags import etag_of
from server.settings import Settings
from tests.server.routes_fakes import FakeState, error_of

FILES = "/api/rooms/main/files"


async def test_the_listing_has_paths_versions_and_utf16_lengths() -> None:
    state = FakeState()
    file = state.hub.host().put("src/b.py", "a😀")
    state.hub.host().put("a.txt", "")
    async with state.client() as client:
        body = (await client.get(FILES)).json()
    assert [row["path"] for row in body["files"]] == ["a.txt", "src/b.py"]
    assert body["files"][1] == {
        "file": file,
        "path": "src/b.py",
        "version": etag_of("a😀").strip('"'),
        "length": 3,
    }
    assert body["problems"] == []


async def test_a_file_is_read_with_its_etag_and_not_sent_twice() -> None:
    state = FakeState()
    state.hub.host().put("dir/ü n.txt", "Grüße\r\n")
    async with state.client() as client:
        first = await client.get(f"{FILES}/dir/%C3%BC%20n.txt")
        second = await client.get(
            f"{FILES}/dir%2F%C3%BC%20n.txt", headers={"If-None-Match": first.headers["etag"]}
        )
    assert first.content == "Grüße\r\n".encode()
    assert first.headers["content-type"] == "text/plain; charset=utf-8"
    assert second.status_code == 304
    assert second.content == b""


async def test_a_file_that_is_not_there_is_not_found() -> None:
    async with FakeState().client() as client:
        assert error_of(await client.get(f"{FILES}/a.txt"))[:2] == (404, "not_found")


async def test_put_creates_a_file_and_says_so_when_it_is_stored() -> None:
    state = FakeState()
    async with state.client() as client:
        response = await client.put(
            f"{FILES}/src/new.py?name=Kim",
            content=b"x = 1\n",
            headers={"If-None-Match": "*", "Content-Type": "text/plain; charset=utf-8"},
        )
        read = await client.get(f"{FILES}/src/new.py")
    host = state.hub.host()
    assert response.status_code == 201
    assert response.json()["created"] is True
    assert response.headers["etag"] == read.headers["etag"]
    assert host.text("src/new.py") == "x = 1\n"
    assert host.stored_version == host.document.version
    (origin,) = host.origins
    assert isinstance(origin, ChangeOrigin)
    assert (origin.person, origin.what) == ("http:Kim", "put")
    assert origin.change == response.json()["change"]


async def test_put_over_a_file_without_if_match_is_refused() -> None:
    state = FakeState()
    state.hub.host().put("a.txt", "theirs")
    async with state.client() as client:
        status, code, message, field = error_of(await client.put(f"{FILES}/a.txt", content=b"mine"))
    assert (status, code, field) == (428, "precondition_required", "if-match")
    assert "If-Match" in message
    assert state.hub.host().text("a.txt") == "theirs"


async def test_create_only_does_not_replace() -> None:
    state = FakeState()
    state.hub.host().put("a.txt", "theirs")
    async with state.client() as client:
        response = await client.put(f"{FILES}/a.txt", content=b"mine", headers={"If-None-Match": "*"})
    assert error_of(response)[0] == 412
    assert state.hub.host().text("a.txt") == "theirs"


@pytest.mark.parametrize("tag", ['"stale"', "W/" + etag_of("theirs"), "theirs"])
async def test_a_stale_if_match_writes_nothing(tag: str) -> None:
    state = FakeState()
    state.hub.host().put("a.txt", "theirs")
    async with state.client() as client:
        response = await client.put(f"{FILES}/a.txt", content=b"mine", headers={"If-Match": tag})
    assert error_of(response)[0] == 412
    assert response.headers["etag"] == etag_of("theirs")
    assert state.hub.host().text("a.txt") == "theirs"


async def test_if_match_of_a_file_that_is_not_there_creates_nothing() -> None:
    state = FakeState()
    async with state.client() as client:
        response = await client.put(f"{FILES}/a.txt", content=b"mine", headers={"If-Match": "*"})
    assert error_of(response)[0] == 412
    assert state.hub.host().paths() == []


async def test_a_replacement_touches_only_what_differs() -> None:
    state = FakeState()
    host = state.hub.host()
    file = host.put("a.py", "one\ntwo\nthree\n")
    anchor = host.document.anchor(file, 9)
    async with state.client() as client:
        response = await client.put(
            f"{FILES}/a.py",
            content=b"zero\none\n2\nthree\n",
            headers={"If-Match": etag_of("one\ntwo\nthree\n")},
        )
    assert response.status_code == 200
    assert host.text("a.py") == "zero\none\n2\nthree\n"
    # An anchor inside the untouched third line stays where it was in it.
    assert host.document.resolve(file, anchor) == len("zero\none\n2\nt")


async def test_edits_that_arrive_with_the_write_make_its_version_stale() -> None:
    state = FakeState()
    host = state.hub.host()
    file = host.put("a.txt", "theirs")
    host.incoming = lambda editor: editor.splice(file, 0, 0, "now ")
    async with state.client() as client:
        response = await client.put(f"{FILES}/a.txt", content=b"mine", headers={"If-Match": etag_of("theirs")})
    assert error_of(response)[0] == 412
    assert host.text("a.txt") == "now theirs"


async def test_a_write_that_takes_any_version_is_made_to_the_latest_text() -> None:
    state = FakeState()
    host = state.hub.host()
    file = host.put("a.txt", "theirs")
    host.incoming = lambda editor: editor.splice(file, 0, 3, "")
    async with state.client() as client:
        response = await client.put(f"{FILES}/a.txt", content=b"mine", headers={"If-Match": "*"})
    assert response.status_code == 200
    assert host.text("a.txt") == "mine"


async def test_a_path_taken_at_the_same_moment_is_not_created_twice() -> None:
    state = FakeState()
    host = state.hub.host()
    host.incoming = lambda editor: editor.create(FileId("other"), "a.txt", "theirs")
    async with state.client() as client:
        response = await client.put(f"{FILES}/a.txt", content=b"mine", headers={"If-None-Match": "*"})
    assert error_of(response)[0] == 412
    assert host.paths() == ["a.txt"]
    assert host.text("a.txt") == "theirs"


async def test_a_large_file_changed_during_the_comparison_keeps_both_sides_whole() -> None:
    state = FakeState()
    host = state.hub.host()
    before = "".join(f"line {number}\n" for number in range(20_000))
    file = host.put("big.txt", before)

    def typed(editor: Editor) -> None:
        editor.splice(file, 0, 0, "typed ")

    host.incoming = typed
    async with state.client() as client:
        after = before + "end\n"
        response = await client.put(f"{FILES}/big.txt", content=after.encode(), headers={"If-Match": "*"})
    assert response.status_code == 200
    assert host.text("big.txt") == after


async def test_delete_wants_the_version() -> None:
    state = FakeState()
    state.hub.host().put("a.txt", "text")
    async with state.client() as client:
        assert error_of(await client.delete(f"{FILES}/a.txt"))[0] == 428
        assert error_of(await client.delete(f"{FILES}/a.txt", headers={"If-Match": '"x"'}))[0] == 412
        assert state.hub.host().paths() == ["a.txt"]
        response = await client.delete(f"{FILES}/a.txt", headers={"If-Match": etag_of("text")})
        assert response.status_code == 204
        assert error_of(await client.delete(f"{FILES}/a.txt", headers={"If-Match": "*"}))[0] == 404
    assert state.hub.host().paths() == []


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("..%2Fa", b"x", "invalid_path"),
        ("a%00b", b"x", "invalid_path"),
        ("a" * 5000, b"x", "invalid_path"),
        ("a.txt", b"\xff\xfe", "invalid_input"),
        ("a.bin", b"a\0b", "invalid_input"),
        (".git/config", b"x", "invalid_input"),
        ("%FF", b"x", "invalid_input"),
    ],
)
async def test_bad_paths_and_texts_are_refused(path: str, body: bytes, code: str) -> None:
    state = FakeState()
    async with state.client() as client:
        assert error_of(await client.put(f"{FILES}/{path}", content=body))[:2] == (400, code)
    assert state.hub.host().paths() == []


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain; charset=latin-1"])
async def test_other_content_types_are_refused(kind: str) -> None:
    async with FakeState().client() as client:
        response = await client.put(f"{FILES}/a.txt", content=b"x", headers={"Content-Type": kind})
    assert error_of(response)[:2] == (415, "unsupported_type")


async def test_a_body_over_the_limit_is_refused_whether_or_not_it_tells_its_length() -> None:
    state = FakeState(Settings(limit_file_bytes=10))

    async def pieces() -> object:
        for _ in range(1000):
            yield b"12345"

    async with state.client() as client:
        assert error_of(await client.put(f"{FILES}/a.txt", content=b"1" * 11))[0] == 413
        assert error_of(await client.put(f"{FILES}/a.txt", content=pieces()))[0] == 413  # type: ignore[arg-type]
        assert (await client.put(f"{FILES}/a.txt", content=b"1" * 10)).status_code == 201


async def test_a_room_takes_no_more_files_and_bytes_than_it_may() -> None:
    state = FakeState(Settings(limit_files=1, limit_document_bytes=2000))
    async with state.client() as client:
        assert error_of(await client.put(f"{FILES}/a.txt", content=b"x" * 3000))[0] == 413
        assert (await client.put(f"{FILES}/a.txt", content=b"x")).status_code == 201
        status, _, message, _ = error_of(await client.put(f"{FILES}/b.txt", content=b"x"))
    assert status == 413
    assert "limit_files" in message


async def test_a_write_that_is_not_stored_is_not_called_done() -> None:
    state = FakeState()
    state.hub.host().refuses = True
    async with state.client() as client:
        response = await client.put(f"{FILES}/a.txt", content=b"x")
    status, code, message, _ = error_of(response)
    assert (status, code) == (503, "store_unavailable")
    assert "not saved yet" in message
    assert response.headers["retry-after"] == "5"


async def test_head_answers_as_get_does() -> None:
    state = FakeState()
    state.hub.host().put("a.txt", "text")
    async with state.client() as client:
        response = await client.head(f"{FILES}/a.txt")
    assert response.headers["etag"] == etag_of("text")
