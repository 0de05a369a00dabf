"""The whole server: files are found while they change, and what a model was sent is read."""

from __future__ import annotations

from pathlib import Path

import httpx

from server.messages.search import SearchResult, SentResult
from tests.server.running import running


async def test_files_are_found_as_they_are_now_and_a_job_tells_what_was_sent(tmp_path: Path) -> None:
    async with running(tmp_path) as server, httpx.AsyncClient(timeout=20) as client:
        room = f"http://127.0.0.1:{server.port}/api/rooms/main"
        await client.put(f"{room}/files/src/things.py", content="class ShoppingCart:\n    pass\n")
        first = SearchResult.model_validate((await client.get(f"{room}/search?q=shopping+cart")).json())
        assert [hit.path for hit in first.hits] == ["src/things.py"]
        any_version = {"If-Match": "*"}
        changed = await client.put(
            f"{room}/files/src/things.py", content="class Basket:\n    pass\n", headers=any_version
        )
        assert changed.status_code == 200, changed.text
        await client.put(f"{room}/files/AGENTS.md", content="Use tabs.\n")
        assert (await client.get(f"{room}/search?q=shopping")).json()["hits"] == []
        found = (await client.get(f"{room}/search?q=basket")).json()["hits"]
        assert [hit["path"] for hit in found] == ["src/things.py"]
        body = {"room": "main", "prompt": "Write a README for the Basket", "name": "Kim"}
        answer = await client.post(f"http://127.0.0.1:{server.port}/api/generate", json=body)
        assert answer.status_code == 200
        [job] = [job["job"] for job in (await client.get(f"{room}/jobs")).json()["jobs"] if job["kind"] == "job"]
        sent = SentResult.model_validate((await client.get(f"{room}/jobs/{job}/sent")).json())
        pieces = {piece.name: piece for piece in sent.asks[0].pieces}
        assert pieces["AGENTS.md"].kind == "project_rules"
        assert pieces["src/things.py"].form == "whole"
        assert "class Basket" in sent.asks[0].messages[-1].content
        refused = await client.post(f"http://127.0.0.1:{server.port}/api/embeddings", json={"input": "x"})
        assert refused.status_code == 501
