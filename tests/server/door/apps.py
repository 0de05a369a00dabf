"""The real application in the test's own loop, spoken to over HTTP, and people who type in its rooms."""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from collab.ids import ConnectionId, FileId, PersonId, RoomId
from collab.origin import PersonOrigin
from server.app import create_app
from server.host import RoomHost
from server.settings import Settings
from server.state import AppState

ROOM = RoomId("main")
KIM = PersonOrigin(PersonId("kim"), ConnectionId("c1"))


class App:
    """One process."""

    def __init__(self, state: AppState, client: httpx.AsyncClient, host: RoomHost) -> None:
        self.state = state
        self.http = client
        self.host = host

    def texts(self) -> dict[str, str]:
        """The texts by path."""
        document = self.host.document
        return {file.shown: document.text(file.id) for file in document.listing().files.values()}

    def type(self, path: str, before: str, after: str) -> None:
        """Somebody replaces what stands in a file once."""
        file = self.file(path)
        text = self.host.document.text(file)
        at = text.index(before)
        self.host.change(lambda editor: editor.splice(file, at, at + len(before), after), KIM)

    def create(self, path: str, text: str) -> None:
        """Somebody makes a file."""
        self.host.change(lambda editor: editor.create(FileId(f"typed-{path}"), path, text), KIM)

    def rename(self, path: str, to: str) -> None:
        """Somebody renames a file."""
        file = self.file(path)
        self.host.change(lambda editor: editor.rename(file, to), KIM)

    def remove(self, path: str) -> None:
        """Somebody deletes a file."""
        file = self.file(path)
        self.host.change(lambda editor: editor.delete(file), KIM)

    def file(self, path: str) -> FileId:
        """The id of the file with this path."""
        found = self.host.document.listing().by_path(path)
        assert found is not None, f"{path} is not there"
        return found.id

    async def read(self, path: str) -> tuple[str, str]:
        """A file's text and its ETag."""
        response = await self.http.get(f"/api/rooms/main/files/{path}")
        assert response.status_code == 200, response.text
        return response.text, response.headers["etag"]

    async def put(self, path: str, text: str, **headers: str) -> httpx.Response:
        """A PUT; ``If_Match`` stands for If-Match."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.put(f"/api/rooms/main/files/{path}", content=text.encode(), headers=names)

    async def upload(self, files: Mapping[str, str], **query: str) -> dict[str, Any]:
        """Imports files; the answer."""
        response = await self.http.post("/api/rooms/main/import", params=query, content=zipped(files))
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    async def export(self, **query: str) -> dict[str, str]:
        """All files, as an archive has them."""
        response = await self.http.get("/api/rooms/main/export", params=query)
        with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
            return {name: archive.read(name).decode() for name in archive.namelist()}

    async def act(self, change: str, action: str) -> None:
        """Undoes or redoes a change."""
        response = await self.http.post(f"/api/rooms/main/jobs/{change}/{action}")
        assert response.status_code == 200, response.text

    async def questions(self) -> list[dict[str, Any]]:
        """The suggestions that wait for an answer."""
        found: list[dict[str, Any]] = (await self.http.get("/api/rooms/main/suggestions")).json()["suggestions"]
        return found

    async def jobs(self) -> list[dict[str, Any]]:
        """Jobs and changes, newest first."""
        found: list[dict[str, Any]] = (await self.http.get("/api/rooms/main/jobs")).json()["jobs"]
        return found


def zipped(files: Mapping[str, str]) -> bytes:
    """An archive of these files."""
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return output.getvalue()


@asynccontextmanager
async def app(data_dir: Path) -> AsyncIterator[App]:
    """Starts a process over what is stored in a folder."""
    built = create_app(Settings(data_dir=data_dir))
    state: AppState = built.state.pairloom
    transport = httpx.ASGITransport(app=built)
    async with (
        built.router.lifespan_context(built),
        httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client,
        state.hub.held(ROOM) as host,
    ):
        yield App(state, client, host)
