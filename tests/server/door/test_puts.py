from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from server.door.texts import version_of
from tests.server.door.apps import app

BASE = "".join(f"line {number}\n" for number in range(1, 10))


async def test_a_put_from_an_older_version_is_merged_and_can_be_undone(tmp_path: Path) -> None:
    async with app(tmp_path) as one:
        await one.put("a.txt", BASE)
        text, tag = await one.read("a.txt")
        one.type("a.txt", "line 8", "line 8, typed")
        response = await one.put("a.txt", text.replace("line 2", "LINE 2"), If_Match=tag)
        assert response.status_code == 200
        merged = BASE.replace("line 2", "LINE 2").replace("line 8", "line 8, typed")
        assert one.texts() == {"a.txt": merged}
        answer = response.json()
        assert (answer["merged"], answer["conflicts"], answer["created"]) == (True, [], False)
        assert answer["version"] == version_of(merged)
        # An ETag would say that the asker has the text now.
        assert "etag" not in response.headers
        (job, _) = await one.jobs()
        assert (job["job"], job["kind"], job["state"]) == (answer["change"], "put", "complete")
        await one.act(answer["change"], "undo")
        assert one.texts() == {"a.txt": BASE.replace("line 8", "line 8, typed")}
        await one.act(answer["change"], "redo")
        assert one.texts() == {"a.txt": merged}


async def test_lines_that_collide_stay_and_become_a_question_to_the_room(tmp_path: Path) -> None:
    async with app(tmp_path) as one:
        await one.put("a.txt", BASE)
        text, tag = await one.read("a.txt")
        one.type("a.txt", "line 2", "row 2")
        theirs = text.replace("line 2", "LINE 2").replace("line 8", "LINE 8")
        answer = (await one.put("a.txt", theirs, If_Match=tag)).json()
        assert one.texts() == {"a.txt": BASE.replace("line 2", "row 2").replace("line 8", "LINE 8")}
        (conflict,) = answer["conflicts"]
        assert (conflict["base"], conflict["ours"], conflict["theirs"]) == ("line 2\n", "row 2\n", "LINE 2\n")
        (question,) = await one.questions()
        assert (question["suggestion"], question["job"]) == (conflict["suggestion"], answer["change"])
        assert question["anchor"] is not None
        url = f"/api/rooms/main/suggestions/{question['suggestion']}"
        assert (await one.http.post(url, json={"choice": "accept"})).status_code == 200
        assert one.texts() == {"a.txt": theirs}


async def test_the_same_put_twice_is_one(tmp_path: Path) -> None:
    async with app(tmp_path) as one:
        await one.put("a.txt", "a = 1\nb = 2\n")
        _, tag = await one.read("a.txt")
        one.type("a.txt", "a = 1\nb = 2\n", "c = 3\na = 1\nb = 3\n")
        theirs = "a = 1\na = 1\nb = 4\n"
        first = (await one.put("a.txt", theirs, If_Match=tag)).json()
        after = one.texts()
        assert after == {"a.txt": "c = 3\na = 1\na = 1\nb = 3\n"} or len(first["conflicts"]) == 1
        second = (await one.put("a.txt", theirs, If_Match=tag)).json()
        assert one.texts() == after
        assert second["change"] == first["change"]
        assert [c["suggestion"] for c in second["conflicts"]] == [c["suggestion"] for c in first["conflicts"]]
        assert len(await one.questions()) == len(first["conflicts"])


async def test_a_put_that_was_undone_can_be_made_again(tmp_path: Path) -> None:
    async with app(tmp_path) as one:
        await one.put("a.txt", BASE)
        text, tag = await one.read("a.txt")
        one.type("a.txt", "line 8", "line 8, typed")
        theirs = text.replace("line 2", "LINE 2")
        first = (await one.put("a.txt", theirs, If_Match=tag)).json()["change"]
        await one.act(first, "undo")
        second = (await one.put("a.txt", theirs, If_Match=tag)).json()["change"]
        assert second != first
        assert "LINE 2" in one.texts()["a.txt"]
        await one.act(second, "undo")
        assert one.texts() == {"a.txt": BASE.replace("line 8", "line 8, typed")}


async def test_a_version_that_nobody_knows_is_refused_with_words(tmp_path: Path) -> None:
    async with app(tmp_path) as one:
        await one.put("a.txt", BASE)
        response = await one.put("a.txt", "mine", If_Match='"0123456789abcdef01234567"')
        assert response.status_code == 412
        assert "still knew that version" in response.json()["error"]["message"]
        assert response.headers["etag"] == f'"{version_of(BASE)}"'
        assert one.texts() == {"a.txt": BASE}


async def test_what_was_written_is_known_as_a_base_without_being_read(tmp_path: Path) -> None:
    async with app(tmp_path) as one:
        response = await one.put("a.txt", BASE)
        one.type("a.txt", "line 8", "line 8, typed")
        again = await one.put("a.txt", BASE.replace("line 2", "LINE 2"), If_Match=response.headers["etag"])
        assert again.status_code == 200
        assert one.texts() == {"a.txt": BASE.replace("line 2", "LINE 2").replace("line 8", "line 8, typed")}


async def test_after_a_restart_the_rooms_history_knows_older_texts(tmp_path: Path) -> None:
    async with app(tmp_path) as one:
        await one.put("a.txt", "older\n")
        await one.put("a.txt", BASE, If_Match="*")
        _, tag = await one.read("a.txt")
        saved = await one.http.post("/api/rooms/main/versions", json={"name": "kept"})
        assert saved.status_code == 201
        one.type("a.txt", "line 8", "line 8, typed")
        await one.http.post("/api/rooms/main/versions", json={"name": "later"})
    async with app(tmp_path) as one:
        response = await one.put("a.txt", BASE.replace("line 2", "LINE 2"), If_Match=tag)
        assert response.status_code == 200
        assert one.texts() == {"a.txt": BASE.replace("line 2", "LINE 2").replace("line 8", "line 8, typed")}


async def test_a_file_that_was_renamed_meanwhile_is_asked_about_where_it_is(tmp_path: Path) -> None:
    async with app(tmp_path) as one:
        await one.put("a.txt", BASE)
        text, tag = await one.read("a.txt")
        one.rename("a.txt", "b.txt")
        answer = (await one.put("a.txt", text.replace("line 2", "LINE 2"), If_Match=tag)).json()
        assert one.texts() == {"b.txt": BASE}
        (conflict,) = answer["conflicts"]
        assert (conflict["path"], conflict["conflict"]) == ("b.txt", "structural_conflict")
        assert answer["path"] == "b.txt"


async def test_a_file_that_was_deleted_meanwhile_is_asked_about_as_a_new_one(tmp_path: Path) -> None:
    async with app(tmp_path) as one:
        await one.put("a.txt", BASE)
        text, tag = await one.read("a.txt")
        one.remove("a.txt")
        answer = (await one.put("a.txt", text + "more\n", If_Match=tag)).json()
        assert one.texts() == {}
        assert (answer["file"], answer["version"]) == (None, None)
        (conflict,) = answer["conflicts"]
        assert (conflict["kind"], conflict["conflict"]) == ("new_file", "structural_conflict")
        await one.http.post(f"/api/rooms/main/suggestions/{conflict['suggestion']}", json={"choice": "accept"})
        assert one.texts() == {"a.txt": BASE + "more\n"}


async def test_a_put_that_changes_nothing_makes_no_change(tmp_path: Path) -> None:
    async with app(tmp_path) as one:
        await one.put("a.txt", BASE)
        text, tag = await one.read("a.txt")
        response = await one.put("a.txt", text, If_Match=tag)
        assert (response.json()["change"], response.headers["etag"]) == (None, tag)
        assert len(await one.jobs()) == 1


@pytest.mark.parametrize("at", [3, 700])
async def test_what_people_type_while_a_large_file_is_compared_stays(tmp_path: Path, at: int) -> None:
    base = "".join(f"line {number} of many\n" for number in range(3000))
    async with app(tmp_path) as one:
        await one.put("big.txt", base)
        text, tag = await one.read("big.txt")
        theirs = "".join(
            line.replace("of", "OF") if number % 40 == 0 else line
            for number, line in enumerate(text.splitlines(keepends=True))
        )
        done = asyncio.Event()

        async def typing() -> int:
            file, count = one.file("big.txt"), 0
            while not done.is_set():
                now = one.host.document.text(file)
                place = now.index(f"line {at} ")
                one.type("big.txt", now[place : place + 4], f"<{count}>line")
                count += 1
                await asyncio.sleep(0.002)
            return count

        person = asyncio.create_task(typing())
        response = await one.put("big.txt", theirs, If_Match=tag)
        done.set()
        count = await person
        assert response.status_code == 200
        now = one.texts()["big.txt"]
        assert count > 2
        assert all(f"<{number}>" in now for number in range(count))
        asked = "".join(conflict["theirs"] for conflict in response.json()["conflicts"])
        assert now.count(" OF ") + asked.count(" OF ") == theirs.count(" OF ")
