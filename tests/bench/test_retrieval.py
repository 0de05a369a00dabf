"""How well the files of a change are found by what the change was called, against plain BM25 in the same run."""

from __future__ import annotations

import pytest

from generation.context.relevance import relevance
from generation.search.index import ProjectIndex
from tests.bench.labelled import PlainBM25, Project, ndcg, projects

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1200)]

GAIN = 1.15


def indexed(project: Project) -> ProjectIndex:
    index = ProjectIndex()
    index.sync({path: path for path in project.files})
    for _ in index.steps(project.files.get):
        pass
    for _ in index.refer():
        pass
    return index


@pytest.mark.parametrize("project", projects(), ids=lambda project: project.name)
def test_files_are_found_better_than_by_plain_bm25(project: Project) -> None:
    index, plain, changes = indexed(project), PlainBM25(project.files), project.held_out()
    sums = {"plain": 0.0, "search": 0.0, "context": 0.0}
    for change in changes:
        sums["plain"] += ndcg(plain.rank(change.subject), change.files)
        sums["search"] += ndcg([hit.path for hit in index.search(change.subject)], change.files)
        known = relevance(index, change.subject)
        ranked = sorted(known, key=lambda file: (-known[file].score, file))[:10]
        sums["context"] += ndcg(ranked, change.files)
    mean = {name: total / len(changes) for name, total in sums.items()}
    print(
        f"\n{project.name}: {len(project.files)} files, {len(changes)} changes; NDCG@10 plain BM25 "
        f"{mean['plain']:.3f}, index {mean['search']:.3f} ({mean['search'] / mean['plain']:.2f} times), "
        f"as contexts are chosen {mean['context']:.3f} ({mean['context'] / mean['plain']:.2f} times)"
    )
    assert mean["search"] >= GAIN * mean["plain"]
    assert mean["context"] >= GAIN * mean["plain"]
