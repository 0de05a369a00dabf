"""Whether what a fence says of its language fits the file that it is said to hold."""

from __future__ import annotations

from typing import Final

_SHELL: Final = (
    *("sh", "bash", "zsh", "shell", "console", "terminal", "shell-session", "powershell", "ps1", "cmd", "bat"),
)
_SUFFIXES: Final[dict[str, frozenset[str]]] = {
    **dict.fromkeys(
        _SHELL, frozenset(["", "sh", "bash", "zsh", "fish", "ksh", "bats", "ps1", "bat", "cmd", "env"])
    ),
    **dict.fromkeys(("diff", "patch", "udiff"), frozenset({"diff", "patch"})),
    **dict.fromkeys(("output", "log", "stdout"), frozenset({"", "txt", "log", "out"})),
    **dict.fromkeys(
        ("python", "py", "python3"), frozenset(["", "py", "pyi", "pyw", "ipy", "bzl", "bazel", "star"])
    ),
    **dict.fromkeys(("go", "golang"), frozenset({"go"})),
    **dict.fromkeys(("rust", "rs"), frozenset({"rs"})),
    "java": frozenset({"java"}),
}
"""What files end with that hold a language; nothing stands for names without an end."""
_NAMES: Final = {"python": "Python", "py": "Python", "python3": "Python", "rs": "Rust", "golang": "Go"}


def contradiction(info: str, path: str, first: str) -> str | None:
    """Why a fence cannot hold the whole text of a file, in words; None if nothing speaks against it.

    ``info`` is what stands behind the signs that open it, ``first`` the first line in it.
    """
    words = info.strip().lower().replace(":", " ").replace("{", " ").split()
    language = words[0] if words else ""
    name = path.rpartition("/")[2].lower()
    suffix = name.rpartition(".")[2] if "." in name.lstrip(".") else ""
    suffixes = _SUFFIXES.get(language)
    if suffixes is not None and suffix not in suffixes:
        if language in {"diff", "patch", "udiff"}:
            return "is a diff, which is not one of the formats"
        return f"holds {_NAMES.get(language, language)}, which is not what the file holds"
    if suffix not in {"diff", "patch"} and (first.startswith(("@@ -", "--- a/", "diff --git ", f"--- {path}"))):
        return "is a diff, which is not one of the formats"
    return None
