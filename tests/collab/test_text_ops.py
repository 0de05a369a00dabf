from __future__ import annotations

import pytest

from collab import delta as delta_of
from collab.errors import InvalidOperation
from collab.text_ops import (
    Delete,
    Insert,
    Retain,
    apply,
    check_fits,
    compose,
    difference,
    from_delta,
    length_change,
    length_read,
    normalise,
    outline,
    splices,
    transform,
)


def test_what_an_operation_does_not_reach_stays() -> None:
    assert apply("hello", (Retain(1), Insert("u"), Delete(1))) == "hullo"


def test_lengths_are_utf16_units() -> None:
    assert apply("a😀b", (Retain(3), Insert("é"), Delete(1))) == "a😀é"


def test_splices_are_in_code_points_of_the_text_before() -> None:
    op = (Insert("x"), Retain(3), Delete(1), Insert("y"), Insert("z"))
    assert splices(op, "a😀bc") == [(0, 0, "x"), (2, 3, "yz")]


def test_an_operation_longer_than_the_text_names_both_lengths() -> None:
    with pytest.raises(InvalidOperation, match=r"goes over 4 UTF-16 units, and the text has 3") as error:
        check_fits((Retain(3), Delete(1)), 3)
    assert error.value.field == "ops"


def test_splices_refuse_to_go_beyond_the_end() -> None:
    with pytest.raises(InvalidOperation, match="beyond the end"):
        splices((Delete(4),), "abc")
    with pytest.raises(InvalidOperation, match="does not fit"):
        splices((Delete(4),), "aé")


def test_splices_refuse_half_a_character() -> None:
    with pytest.raises(InvalidOperation, match="between the two halves"):
        splices((Retain(1), Insert("x")), "😀")


def test_normalise_joins_neighbours_and_drops_what_does_nothing() -> None:
    op = (
        Retain(1),
        Retain(2),
        Insert(""),
        Insert("a"),
        Insert("b"),
        Delete(0),
        Delete(1),
        Delete(1),
        Retain(9),
    )
    assert normalise(op) == (Retain(3), Insert("ab"), Delete(2))


def test_normalise_leaves_an_insertion_on_its_side_of_a_deletion() -> None:
    assert normalise((Delete(1), Insert("a"))) == (Delete(1), Insert("a"))


def test_lengths_of_an_operation() -> None:
    op = (Retain(2), Insert("😀"), Delete(5))
    assert (length_read(op), length_change(op), length_change(outline(op))) == (7, -3, -3)


def test_of_two_insertions_at_one_place_the_first_stands_first() -> None:
    a, b = (Retain(1), Insert("A")), (Retain(1), Insert("B"))
    assert apply(apply("xy", a), transform(b, a, first=False)) == "xABy"
    assert apply(apply("xy", b), transform(a, b, first=True)) == "xABy"


def test_an_insertion_into_deleted_text_survives() -> None:
    assert transform((Retain(2), Insert("A")), (Delete(4),), first=False) == (Insert("A"),)


def test_what_both_delete_is_deleted_once() -> None:
    assert transform((Retain(1), Delete(3)), (Retain(2), Delete(3)), first=True) == (Retain(1), Delete(1))


def test_an_insertion_after_a_deletion_stays_behind_another_at_the_same_place() -> None:
    replaced, appended = (Delete(3), Insert("X")), (Retain(3), Insert("Y"))
    assert apply(apply("abc", appended), transform(replaced, appended, first=False)) == "YX"


def test_compose_does_one_after_the_other() -> None:
    a = (Retain(1), Insert("XYZ"), Delete(1))
    b = (Delete(2), Retain(1), Insert("!"), Delete(2))
    assert compose(a, b) == (Delete(1), Insert("Y!"), Delete(2))
    assert apply(apply("abcd", a), b) == apply("abcd", compose(a, b))


def test_compose_refuses_half_an_inserted_character() -> None:
    with pytest.raises(InvalidOperation):
        compose((Insert("😀"),), (Delete(1),))


def test_a_delta_counts_bytes_of_the_text_before() -> None:
    delta = (delta_of.Retain(3), delta_of.Delete(4), delta_of.Insert("ß"), delta_of.Retain(2))
    op = from_delta(delta, "aé😀é")
    assert op == (Retain(2), Delete(2), Insert("ß"))
    assert apply("aé😀é", op) == "aéßé"


def test_a_delta_of_an_ascii_text_counts_characters() -> None:
    assert from_delta((delta_of.Retain(3), delta_of.Delete(1)), "abcd") == (Retain(3), Delete(1))


def test_a_delta_through_a_character_is_refused() -> None:
    with pytest.raises(InvalidOperation):
        from_delta((delta_of.Retain(1), delta_of.Delete(1)), "é")


@pytest.mark.parametrize(
    ("before", "after", "op"),
    [
        ("same", "same", ()),
        ("aa", "aaa", (Retain(2), Insert("a"))),
        ("a😀c", "a😁c", (Retain(1), Insert("😁"), Delete(2))),
        ("", "x", (Insert("x"),)),
        ("x", "", (Delete(1),)),
    ],
)
def test_difference_is_what_stands_between_common_start_and_end(
    before: str, after: str, op: tuple[object, ...]
) -> None:
    assert difference(before, after) == op
