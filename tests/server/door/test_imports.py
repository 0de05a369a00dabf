from __future__ import annotations

from pathlib import Path

from tests.server.door.apps import app

BASE = "".join(f"line {number}\n" for number in range(1, 10))
TYPED = BASE.replace("line 8", "line 8, typed")
NEW = BASE.replace("line 2", "LINE 2")
BOTH = NEW.replace("line 8", "line 8, typed")


async def test_a_second_import_is_merged_with_what_people_did_since_the_first(tmp_path: Path) -> None:
    async with app(tmp_path) as one:
        first = await one.upload({"a.txt": BASE, "b.txt": BASE})
        assert first["created"] == ["a.txt", "b.txt"]
        one.type("a.txt", "line 8", "line 8, typed")
        answer = await one.upload({"a.txt": NEW, "b.txt": NEW, "c.txt": "new\n"})
        assert one.texts() == {"a.txt": BOTH, "b.txt": NEW, "c.txt": "new\n"}
        assert (answer["created"], answer["updated"]) == (["c.txt"], ["a.txt", "b.txt"])
        assert (answer["merged"], answer["conflicts"]) == (["a.txt"], [])


async def test_an_import_is_one_change_that_is_undone_as_a_whole(tmp_path: Path) -> None:
    async with app(tmp_path) as one:
        await one.upload({"a.txt": BASE, "b.txt": BASE})
        one.type("a.txt", "line 8", "line 8, typed")
        change = (await one.upload({"a.txt": NEW, "b.txt": NEW, "c.txt": "new\n"}, title="All"))["change"]
        job = (await one.jobs())[0]
        assert (job["job"], job["kind"], job["prompt"]) == (change, "import", "All")
        await one.act(change, "undo")
        assert one.texts() == {"a.txt": TYPED, "b.txt": BASE}
        await one.act(change, "redo")
        assert one.texts() == {"a.txt": BOTH, "b.txt": NEW, "c.txt": "new\n"}


async def test_several_requests_of_one_import_are_one_change(tmp_path: Path) -> None:
    async with app(tmp_path) as one:
        change = (await one.upload({"a.txt": BASE}))["change"]
        assert (await one.upload({"b.txt": BASE}, change=change))["change"] == change
        assert len(await one.jobs()) == 1
        await one.act(change, "undo")
        assert one.texts() == {}
        # What is undone is not gone on with.
        assert (await one.upload({"c.txt": BASE}, change=change))["change"] != change


async def test_colliding_lines_are_asked_once_however_often_the_folder_is_imported(tmp_path: Path) -> None:
    async with app(tmp_path) as one:
        await one.upload({"a.txt": BASE})
        one.type("a.txt", "line 2", "row 2")
        theirs = BASE.replace("line 2", "LINE 2").replace("line 8", "LINE 8")
        answer = await one.upload({"a.txt": theirs})
        assert one.texts() == {"a.txt": BASE.replace("line 2", "row 2").replace("line 8", "LINE 8")}
        assert [one["theirs"] for one in answer["conflicts"]] == ["LINE 2\n"]
        again = await one.upload({"a.txt": theirs})
        assert (again["unchanged"], again["conflicts"], again["change"]) == (1, [], None)
        assert len(await one.questions()) == 1


async def test_what_was_imported_is_known_after_a_restart(tmp_path: Path) -> None:
    async with app(tmp_path) as one:
        await one.upload({"a.txt": BASE})
        one.type("a.txt", "line 8", "line 8, typed")
    async with app(tmp_path) as one:
        assert (await one.upload({"a.txt": NEW}))["merged"] == ["a.txt"]
        assert one.texts() == {"a.txt": BOTH}


async def test_a_file_of_which_no_base_is_known_is_asked_as_a_whole(tmp_path: Path) -> None:
    async with app(tmp_path) as one:
        one.create("a.txt", TYPED)
        answer = await one.upload({"a.txt": NEW})
        assert one.texts() == {"a.txt": TYPED}
        (conflict,) = answer["conflicts"]
        assert (conflict["kind"], conflict["conflict"]) == ("whole_file", "same_file_different_content")
        assert (conflict["ours"], conflict["theirs"]) == (TYPED, NEW)
        # From then on it is known what the source had.
        answer = await one.upload({"a.txt": NEW.replace("line 4", "LINE 4")})
        assert one.texts() == {"a.txt": TYPED.replace("line 4", "LINE 4")}


async def test_a_file_that_nobody_changed_since_another_source_imported_it_is_taken(tmp_path: Path) -> None:
    async with app(tmp_path) as one:
        await one.upload({"a.txt": BASE}, source="kim's folder")
        assert (await one.upload({"a.txt": NEW}, source="lee's folder"))["updated"] == ["a.txt"]
        assert one.texts() == {"a.txt": NEW}


async def test_overwriting_takes_the_uploaded_side(tmp_path: Path) -> None:
    async with app(tmp_path) as one:
        await one.upload({"a.txt": BASE})
        one.type("a.txt", "line 2", "row 2")
        one.create("b.txt", "typed\n")
        answer = await one.upload({"a.txt": NEW, "b.txt": NEW}, overwrite="1")
        assert answer["updated"] == ["a.txt", "b.txt"]
        assert one.texts() == {"a.txt": NEW, "b.txt": NEW}
        await one.act(answer["change"], "undo")
        assert one.texts() == {"a.txt": BASE.replace("line 2", "row 2"), "b.txt": "typed\n"}


async def test_an_export_is_what_the_next_import_goes_on_from(tmp_path: Path) -> None:
    async with app(tmp_path) as one:
        one.create("a.txt", BASE)
        assert await one.export(source="folder") == {"a.txt": BASE}
        one.type("a.txt", "line 8", "line 8, typed")
        answer = await one.upload({"a.txt": NEW}, source="folder")
        assert answer["merged"] == ["a.txt"]
        assert one.texts() == {"a.txt": BOTH}


async def test_a_person_who_names_no_folder_deletes_nothing_with_an_older_copy(tmp_path: Path) -> None:
    async with app(tmp_path) as one:
        await one.upload({"a.txt": BASE}, name="Kim")
        one.type("a.txt", "line 8", "line 8, typed")
        await one.export(name="Kim")
        await one.upload({"a.txt": NEW}, name="Kim")
        assert one.texts() == {"a.txt": BOTH}


async def test_a_file_that_was_deleted_in_the_room_stays_deleted_or_is_asked(tmp_path: Path) -> None:
    async with app(tmp_path) as one:
        await one.upload({"a.txt": BASE, "b.txt": BASE})
        one.remove("a.txt")
        one.remove("b.txt")
        answer = await one.upload({"a.txt": BASE, "b.txt": NEW})
        assert one.texts() == {}
        assert [(row["path"], "deleted" in row["reason"]) for row in answer["left_out"]] == [("a.txt", True)]
        assert [(row["path"], row["kind"]) for row in answer["conflicts"]] == [("b.txt", "new_file")]


async def test_a_large_import_is_noted_in_parts_of_one_change(tmp_path: Path) -> None:
    files = {f"{number}.txt": "typed\n" * 20_000 + f"{number}\n" for number in range(12)}
    async with app(tmp_path) as one:
        for path in files:
            one.create(path, "ours\n" * 20_000)
        answer = await one.upload(files, overwrite="1")
        assert one.texts() == files
        assert len(await one.jobs()) == 1
        await one.act(answer["change"], "undo")
        assert set(one.texts().values()) == {"ours\n" * 20_000}


async def test_odd_parameters_are_refused(tmp_path: Path) -> None:
    async with app(tmp_path) as one:
        for query in ("source=%00", "overwrite=yes", "last=2", f"title={'x' * 300}", "change=j123"):
            response = await one.http.post(f"/api/rooms/main/import?{query}", content=b"")
            assert response.status_code == 400
            assert response.json()["error"]["field"] == query.partition("=")[0]
