from __future__ import annotations

import numpy as np
import pytest

from generation.search import vectors
from generation.search.chunks import CHARACTERS, MOST, chunks
from generation.search.fusion import fused
from generation.search.vectors import Vectors, normal


def test_the_nearest_file_comes_first_and_each_once() -> None:
    made = Vectors(2)
    made.put("a", normal([[1, 0], [0.9, 0.1]]))
    made.put("b", normal([[0, 1]]))
    found = made.nearest(normal([[1, 0.2]])[0], 5)
    assert [file for file, _ in found] == ["a", "b"]
    assert found[0][1] > 0.9
    assert made.nearest(normal([[1, 0]])[0], 1)[0][0] == "a"


def test_a_file_is_replaced_and_dropped() -> None:
    made = Vectors(2)
    made.put("a", normal([[1, 0]]))
    made.put("a", normal([[0, 1]]))
    assert len(made) == 1
    assert made.nearest(normal([[1, 0]])[0], 5)[0][1] == pytest.approx(0)
    made.drop("a")
    assert (len(made), made.nearest(normal([[1, 0]])[0], 5)) == (0, [])


def test_it_grows_and_uses_room_again() -> None:
    made = Vectors(3)
    for number in range(1_000):
        made.put(f"f{number % 300}", normal([[1, number, 2], [number, 1, 1]]))
    assert len(made) == 600


def test_it_takes_no_more_memory_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "MOST_BYTES", 3 * 2 * 4)
    made = Vectors(2)
    assert made.put("a", normal([[1, 0], [0, 1]]))
    assert not made.put("b", normal([[1, 0], [0, 1]]))
    assert made.put("a", normal([[1, 1], [1, 0], [0, 1]]))


@pytest.mark.parametrize("bad", [[], [[]], [[1.0, float("nan")]], [1.0, 2.0]])
def test_what_is_no_vector_is_refused(bad: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="no vectors"):
        normal(bad)


def test_a_vector_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="3 numbers instead of 2"):
        Vectors(2).put("a", normal([[1, 2, 3]]))


def test_a_vector_of_zeros_stays_one() -> None:
    assert np.array_equal(normal([[0, 0]]), [[0, 0]])


def test_what_is_first_in_both_rankings_is_first() -> None:
    assert [one for one, _ in fused([["a", "b", "c"], ["c", "a"]])] == ["a", "c", "b"]
    assert fused([["a"], ["a"]]) == [("a", 1.0)]
    assert fused([]) == []


def test_chunks_are_whole_definitions_where_they_fit_and_hold_the_path() -> None:
    text = "".join(f"def f{number}():\n    return {'x' * 500}\n\n" for number in range(6))
    made = list(chunks("a.py", text))
    assert "".join(chunk.removeprefix("a.py\n") for chunk in made) == text
    assert all(chunk.startswith("a.py\ndef f") for chunk in made)
    assert all(len(chunk) <= CHARACTERS for chunk in made)


@pytest.mark.parametrize("text", ["x" * 100_000, "\n" * 50_000, "a\n" * 50_000, "", "   \n"])
def test_chunks_are_bounded_whatever_the_text(text: str) -> None:
    made = list(chunks("p" * 3_000, text))
    assert len(made) <= MOST
    assert all(len(chunk) <= CHARACTERS for chunk in made)
