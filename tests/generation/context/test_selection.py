from __future__ import annotations

from collab.ids import FileId, FilePath
from generation.context.material import Excerpt, Material, Relevance
from generation.context.selection import MOST_READ, Candidate, Context, select
from generation.context.tokens import estimate


def choose(
    files: dict[str, str],
    prompt: str,
    named: tuple[str, ...] = (),
    budget: int = 10_000,
    material: Material | None = None,
    wanted: int | None = None,
) -> Context:
    candidates = [Candidate(FileId(path), FilePath(path)) for path in files]
    meant = [FileId(path) for path in named]
    return select(candidates, files.__getitem__, prompt, meant, budget, "", material, wanted)


def shown(context: Context) -> list[str]:
    return [file.path for file in context.shown]


def test_an_empty_project_has_an_empty_context() -> None:
    context = choose({}, "x")
    assert (context.shown, context.files) == ((), 0)
    assert "no files" in context.report()


def test_named_files_come_first_then_paths_then_what_belongs_then_the_rest_of_a_small_project() -> None:
    files = {
        "big.py": "y = 1\n" * 50,
        "a/small.py": "z",
        "defines.py": "def connect():\n    pass\n" + "q\n" * 30,
        "b/mentioned.py": "w\n" * 90,
        "named.py": "v\n" * 100,
    }
    material = Material(relevance={FileId("defines.py"): Relevance(0.9, "it defines connect")})
    context = choose(files, "make connect in mentioned.py faster", ("named.py",), material=material)
    assert shown(context) == ["named.py", "b/mentioned.py", "defines.py", "a/small.py", "big.py"]
    assert context.shown[0].why == "named in the request"


def test_what_does_not_fit_is_left_out_with_the_reason() -> None:
    context = choose({"a.py": "x" * 40_000, "b.py": "y"}, "change a.py and b.py", budget=1000)
    assert shown(context) == ["b.py"]
    assert [left.path for left in context.left_out] == ["a.py"]
    assert "tokens" in context.left_out[0].reason
    assert "a.py" in context.report()
    assert context.others == ("a.py",)


def test_the_budget_is_kept() -> None:
    files = {f"f{number}.py": "word " * 100 for number in range(50)}
    context = choose(files, "x", budget=1000)
    assert 0 < context.tokens <= 1000


def test_of_a_large_project_only_what_belongs_to_the_request_is_shown_and_the_rest_is_listed() -> None:
    files = {f"f{number}.py": "word " * 1000 for number in range(20)}
    material = Material(
        relevance={FileId("f3.py"): Relevance(0.8, "its words fit"), FileId("f7.py"): Relevance(0.1, "")},
        outlines={FileId("f7.py"): "def seven()"},
    )
    context = choose(files, "x", budget=100_000, material=material)
    assert shown(context) == ["f3.py"]
    assert [one.piece.name for one in context.of("file") if one.form == "summary"] == ["f7.py"]
    assert len(context.others) == 18


def test_more_than_is_wanted_is_shown_only_of_what_the_request_names() -> None:
    files = {"a.py": "word " * 1000, "b.py": "word " * 1000}
    material = Material(relevance={FileId("b.py"): Relevance(0.9, "it is open")})
    context = choose(files, "x", ("a.py",), budget=100_000, material=material, wanted=1_300)
    assert shown(context) == ["a.py"]
    assert context.left_out[0].path == "b.py"


def test_rules_of_the_project_and_of_the_folder_that_is_meant_are_pinned() -> None:
    files = {"AGENTS.md": "Use tabs.", "src/AGENTS.md": "No globals.", "b/AGENTS.md": "Never.", "src/a.py": "x"}
    context = choose(files, "change src/a.py")
    assert [one.piece.name for one in context.of("project_rules")] == ["AGENTS.md", "src/AGENTS.md"]


def test_a_part_of_a_file_is_shown_only_where_the_whole_is_not() -> None:
    excerpt = Excerpt(FileId("big.py"), FilePath("big.py"), "f", 7, "def f(): ...")
    files = {"big.py": "x" * 40_000}
    material = Material(excerpts=(excerpt,), relevance={FileId("big.py"): Relevance(2.0, "it defines f")})
    small = choose(files, "x", budget=2_000, material=material)
    assert [one.piece.name for one in small.of("symbol")] == ["big.py:7 f"]
    assert small.seen == (FileId("big.py"),)
    assert choose(files, "x", budget=20_000, material=material).of("symbol") == []


def test_a_name_inside_of_a_longer_path_is_not_meant() -> None:
    files = {"app.py": "x", "my_app.py": "y"}
    scores = {one.piece.name: one.piece.score for one in choose(files, "fix my_app.py").of("file")}
    assert scores["my_app.py"] > scores["app.py"]


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
