from __future__ import annotations

import pytest

from generation.elision import elides


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("a.py", "# ... existing code ..."),
        ("a.py", "    # ... rest of the function"),
        ("a.py", "# rest of the code remains unchanged"),
        ("a.py", "    # (rest of the code stays the same) ..."),
        ("a.py", "# ..."),
        ("a.py", "..."),
        ("a.js", "// ... existing code ..."),
        ("a.js", "  // … other methods …"),
        ("a.js", "/* ... */"),
        ("a.js", "..."),
        ("a.js", "// rest of the file"),
        ("a.tsx", "{/* ... existing markup ... */}"),
        ("a.html", "<!-- ... rest of the page ... -->"),
        ("a.sql", "-- ... remaining lines unchanged"),
        ("a.css", "/* existing styles ... */"),
        ("a.go", "// Existing code..."),
        ("a.rs", "// unchanged"),
        ("a.yml", "# ... rest of the file"),
        ("a.md", "<!-- ... rest of the file unchanged ... -->"),
    ],
)
def test_a_line_that_leaves_lines_out_is_found(path: str, line: str) -> None:
    assert elides(path, line)


@pytest.mark.parametrize(
    ("path", "line", "before"),
    [
        ("a.py", "    ...", "def f() -> int:"),
        ("a.py", "    ...", '    """What."""'),
        ("a.py", "x = [...]", ""),
        ("a.py", "# wait for it...", ""),
        ("a.py", "# the other code path", ""),
        ("a.py", 'print("...")', ""),
        ("a.py", "# Loads existing users from the database.", ""),
        ("a.py", "# Same as before, but with a lock and for all the rows that are left.", ""),
        ("a.js", "  ...options,", ""),
        ("a.js", "// TODO: handle errors...", ""),
        ("a.go", "args...", ""),
        ("a.yml", "...", ""),
        ("a.md", "...", ""),
        ("a.txt", "and so on ...", ""),
        ("a.c", "int printf(const char *format, ...);", ""),
        ("a.rs", "..Default::default()", ""),
    ],
)
def test_what_only_resembles_that_is_code(path: str, line: str, before: str) -> None:
    assert not elides(path, line, before)
