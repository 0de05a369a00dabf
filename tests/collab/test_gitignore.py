"""The .gitignore rules are git's own: random ones are asked of git, too."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collab.importing import GitIgnore

NAMES = st.sampled_from(["a", "b", "ab", "a.b", "b.a", ".a"])
FOLDERS = st.lists(st.sampled_from(["a", "b", "ab"]), max_size=3).map("/".join)
PATHS = st.builds(lambda folder, name: f"{folder}/{name}".lstrip("/"), FOLDERS, NAMES)
PARTS = st.sampled_from(["a", "b", "ab", "*", "*.b", "?", "[ab]", "a*", "**"])
PATTERNS = st.builds(
    lambda mark, root, parts, folder: mark + root + "/".join(parts) + folder,
    st.sampled_from(["", "", "!"]),
    st.sampled_from(["", "", "/"]),
    st.lists(PARTS, min_size=1, max_size=3),
    st.sampled_from(["", "", "/"]),
).filter(lambda pattern: "**/**" not in pattern and not pattern.endswith("**/") and pattern.strip("!/") != "**")
TEXTS = st.lists(st.one_of(PATTERNS, st.sampled_from(["", "# a", "!"])), max_size=6).map("\n".join)


def ignored_by_git(folder: Path, paths: list[str]) -> set[str]:
    asked = subprocess.run(
        ["git", "check-ignore", "--no-index", "-z", "--stdin"],
        cwd=folder,
        input="\0".join(paths),
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.returncode in {0, 1}, asked.stderr
    return {path for path in asked.stdout.split("\0") if path}


@pytest.mark.integration
@pytest.mark.skipif(shutil.which("git") is None, reason="asks git")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    paths=st.lists(PATHS, min_size=1, max_size=12, unique=True),
    ignores=st.dictionaries(FOLDERS, TEXTS, max_size=3),
)
def test_ignores_what_git_ignores(paths: list[str], ignores: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run(["git", "init", "-q", "."], cwd=folder, check=True)
        made = []
        for path in paths:
            file = folder / path
            if not any(parent.is_file() for parent in file.parents) and not file.exists():
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text("")
                made.append(path)
        contents = {}
        for where, text in ignores.items():
            if (folder / where).is_dir():
                path = f"{where}/.gitignore".lstrip("/")
                (folder / path).write_text(text)
                contents[path] = text
        ignore = GitIgnore(contents)
        assert {path for path in made if ignore.ignored(path)} == ignored_by_git(folder, made)


def test_a_deeper_file_wins_over_the_one_above() -> None:
    ignore = GitIgnore({".gitignore": "*.log\n", "kept/.gitignore": "!*.log\n"})
    assert ignore.ignored("a.log") == "a.log"
    assert ignore.ignored("kept/a.log") is None


def test_nothing_in_an_ignored_folder_comes_back() -> None:
    ignore = GitIgnore({".gitignore": "out/\n!out/kept\n"})
    assert ignore.ignored("out/kept") == "out/"


def test_the_reason_names_the_highest_ignored_folder() -> None:
    ignore = GitIgnore({".gitignore": "node_modules\n"})
    assert ignore.ignored("web/node_modules/a/b/c.js") == "web/node_modules/"


def test_a_folder_pattern_does_not_match_a_file() -> None:
    ignore = GitIgnore({".gitignore": "build/\n"})
    assert ignore.ignored("build") is None
    assert ignore.ignored("build/a") == "build/"


def test_a_folder_brought_back_does_not_bring_back_its_content() -> None:
    ignore = GitIgnore({".gitignore": "*\n!a/\n"})
    assert ignore.ignored_folder("a") is None
    assert ignore.ignored("a/x") == "a/x"


def test_a_byte_order_mark_is_no_part_of_the_first_pattern() -> None:
    assert GitIgnore({".gitignore": "\ufeff*.log\n"}).ignored("a.log") == "a.log"


def test_lines_that_are_no_pattern_count_for_nothing() -> None:
    ignore = GitIgnore({".gitignore": "!\n//\n# a\n\n*.log\n"})
    assert ignore.ignored("a") is None
    assert ignore.ignored("a.log") == "a.log"
