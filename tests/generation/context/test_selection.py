from __future__ import annotations

from collab.ids import FileId, FilePath
from generation.context.selection import MOST_READ, Candidate, Context, select
from generation.context.tokens import estimate


def choose(files: dict[str, str], prompt: str, named: tuple[str, ...] = (), budget: int = 10_000) -> Context:
    candidates = [Candidate(FileId(path), FilePath(path)) for path in files]
    return select(candidates, files.__getitem__, prompt, [FileId(path) for path in named], budget)


def shown(context: Context) -> list[str]:
    return [file.path for file in context.shown]


def test_an_empty_project_has_an_empty_context() -> None:
    context = choose({}, "x")
    assert (context.shown, context.files) == ((), 0)
    assert "no files" in context.report()


def test_named_files_come_first_then_paths_then_names_then_small_ones() -> None:
    files = {
        "big.py": "y = 1\n" * 50,
        "a/small.py": "z",
        "defines.py": "def connect():\n    pass\n" + "q\n" * 30,
        "b/mentioned.py": "w\n" * 90,
        "named.py": "v\n" * 100,
    }
    context = choose(files, "make connect in mentioned.py faster", ("named.py",))
    assert shown(context) == ["named.py", "b/mentioned.py", "defines.py", "a/small.py", "big.py"]
    assert context.shown[0].why == "named in the request"


def test_what_does_not_fit_is_left_out_with_the_reason() -> None:
    context = choose({"a.py": "x" * 40_000, "b.py": "y"}, "change a.py", budget=1000)
    assert shown(context) == ["b.py"]
    assert [left.path for left in context.left_out] == ["a.py"]
    assert "tokens" in context.left_out[0].reason
    assert "a.py" in context.report()
    assert context.others == ("a.py",)


def test_the_budget_is_kept() -> None:
    files = {f"f{number}.py": "word " * 100 for number in range(50)}
    context = choose(files, "x", budget=1000)
    assert 0 < context.tokens <= 1000


def test_lock_files_are_shown_only_if_they_are_meant() -> None:
    files = {"package-lock.json": "{}", "a.js": "x"}
    assert shown(choose(files, "x")) == ["a.js"]
    assert "package-lock.json" in shown(choose(files, "fix package-lock.json"))


def test_of_a_large_project_only_some_files_are_read_the_meant_ones_first() -> None:
    files = {f"f{number:05}.py": "x" for number in range(2000)} | {"zzz/target.py": "y"}
    read: list[str] = []

    def look(file: FileId) -> str:
        read.append(file)
        return files[file]

    candidates = [Candidate(FileId(path), FilePath(path)) for path in files]
    context = select(candidates, look, "change zzz/target.py", [], 10_000)
    assert len(read) <= MOST_READ
    assert shown(context)[0] == "zzz/target.py"


def test_tokens_are_estimated_from_bytes() -> None:
    assert estimate("") <= 1
    assert estimate("x" * 43) == 10
    assert estimate("é" * 43) == 20
