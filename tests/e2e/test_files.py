"""Files on their way into and out of the browser."""

from __future__ import annotations

import asyncio
import io
import zipfile
from pathlib import Path

from playwright.async_api import expect

from tests.e2e.conftest import IN_BROWSER
from tests.e2e.serving import Server
from tests.e2e.window import LINES, Window, all_show

pytestmark = IN_BROWSER

Both = tuple[Window, Window]

PROJECT = {
    "README.md": b"# A project\n",
    "src/app.py": b"print('hello')\r\nprint('again')\r\n",
    "docs/größe.txt": "naïve 🙂 café\n".encode(),
    "empty.txt": b"",
}


async def exported(window: Window) -> dict[str, bytes]:
    """What the download link gives."""
    async with window.page.expect_download() as download:
        await window.get("export").click()
    with zipfile.ZipFile(await (await download.value).path()) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(files: dict[str, bytes]) -> bytes:
    """A zip of these files."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    return written.getvalue()


async def test_a_zip_is_imported_for_both_and_exported_with_the_same_bytes(both: Both) -> None:
    ada, ben = both
    surplus = {"logo.png": b"\x89PNG\r\n\x1a\n\x00\x00", ".gitignore": b"*.log\n", "debug.log": b"noise"}
    await ada.get("import-input").set_input_files(
        {"name": "project.zip", "mimeType": "application/zip", "buffer": packed({**PROJECT, **surplus})}
    )
    await expect(ada.get("import-summary")).to_contain_text("5 created, 0 updated, 0 unchanged, 2 left out.")
    left_out = ada.get("import-left-out")
    await expect(left_out.get_by_role("row").filter(has_text="logo.png")).to_contain_text("binary")
    await expect(left_out.get_by_role("row").filter(has_text="debug.log")).to_contain_text(".gitignore")
    await ben.open_file("docs/größe.txt")
    await ben.shows("naïve 🙂 café\n")
    assert await exported(ben) == {**PROJECT, ".gitignore": b"*.log\n"}


async def test_a_zip_that_is_dropped_on_the_editor_is_imported_and_not_written_into_the_text(both: Both) -> None:
    ada, ben = both
    await ada.create("open.txt")
    await ada.page.locator(".cm-content").evaluate(
        """(editor, bytes) => {
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File([Uint8Array.from(bytes)], "project.zip", { type: "application/zip" }));
          for (const kind of ["dragenter", "dragover", "drop"])
            editor.dispatchEvent(new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true }));
        }""",
        list(packed(PROJECT)),
    )
    await expect(ada.get("import-summary")).to_contain_text("4 created")
    await expect(ben.file("src/app.py")).to_be_visible()
    await ada.page.keyboard.press("Escape")
    await ada.shows("")
    assert await exported(ben) == {**PROJECT, "open.txt": b""}


async def test_a_folder_is_imported_without_what_its_gitignore_names(both: Both, tmp_path: Path) -> None:
    ada, ben = both
    folder = tmp_path / "project"
    for path, data in {**PROJECT, ".gitignore": b"build/\n", "build/out.txt": b"made"}.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    await ada.get("import-folder-input").set_input_files(folder)
    await ada.get("import-top").click()
    await expect(ada.get("import-summary")).to_contain_text("5 created")
    await expect(ada.get("import-left-out")).to_contain_text("build/out.txt")
    await expect(ben.file("src/app.py")).to_be_visible()
    assert await exported(ben) == {**PROJECT, ".gitignore": b"build/\n"}


async def test_a_file_with_crlf_lines_keeps_them_while_two_edit_it(both: Both, server: Server, room: str) -> None:
    ada, ben = both
    await server.write(room, "dos.txt", "one\r\ntwo\r\nthree\r\nfour\r\n")
    await asyncio.gather(ada.open_file("dos.txt"), ben.open_file("dos.txt"))
    await asyncio.gather(ada.at_line(1), ben.at_line(4))
    await asyncio.gather(ada.type("!\nand a half"), ben.type("?\nfive"))
    await all_show(both, "one!\nand a half\ntwo\nthree\nfour?\nfive\n")
    # Deleting a line's end from either side takes both characters.
    await ada.at_line(3)
    await ada.page.keyboard.press("Delete")
    await all_show(both, "one!\nand a half\ntwothree\nfour?\nfive\n")
    await ben.at_line(4)
    for key in ("Home", "ArrowLeft", "ArrowRight", "Backspace"):
        await ben.page.keyboard.press(key)
    await all_show(both, "one!\nand a half\ntwothreefour?\nfive\n")
    await asyncio.gather(ada.saved(), ben.saved())
    assert await server.read(room, "dos.txt") == b"one!\r\nand a half\r\ntwothreefour?\r\nfive\r\n"
    await ben.page.keyboard.press("Control+z")
    await expect(ben.page.locator(LINES)).not_to_have_count(4)
    await ben.saved()
    undone = await server.read(room, "dos.txt")
    assert undone.count(b"\r\n") == undone.count(b"\r") == undone.count(b"\n") >= 4


async def test_edits_beside_characters_outside_of_the_basic_plane_go_where_they_were_made(
    both: Both, server: Server, room: str
) -> None:
    ada, ben = both
    family, accent = "👩‍👩‍👧", "e\u0301"
    await server.write(room, "signs.txt", f"🙂{family}\n{accent}🙂\n")
    await asyncio.gather(ada.open_file("signs.txt"), ben.open_file("signs.txt"))
    await asyncio.gather(ada.at_line(1), ben.at_line(2))
    await ada.page.keyboard.press("ArrowLeft")
    await asyncio.gather(ada.page.keyboard.insert_text("a😀"), ben.page.keyboard.insert_text("🚀b"))
    await all_show(both, f"🙂a😀{family}\n{accent}🙂🚀b\n")
    await ben.page.keyboard.press("Backspace")
    await ben.page.keyboard.press("Backspace")
    await all_show(both, f"🙂a😀{family}\n{accent}🙂\n")
    await asyncio.gather(ada.saved(), ben.saved())
    assert await server.read(room, "signs.txt") == f"🙂a😀{family}\n{accent}🙂\n".encode()
