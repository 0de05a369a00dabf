"""The laws that make operational transformation converge, on random texts and operations."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from collab.document import Document
from collab.ids import ClientId, FileId
from collab.offsets import utf16_length
from collab.text_ops import (
    Delete,
    Insert,
    Retain,
    Step,
    TextOp,
    apply,
    compose,
    difference,
    from_delta,
    length_change,
    normalise,
    splices,
    transform,
)

TEXTS = st.text(st.sampled_from("ab\né😀👍\u0301"), max_size=12)


@st.composite
def operations(draw: st.DrawFn, text: str) -> TextOp:
    """An operation on ``text`` that goes through no character, not in any normal form."""
    op: list[Step] = []
    at = 0
    while at < len(text) and draw(st.integers(0, 5)):
        end = draw(st.integers(at + 1, len(text)))
        units = utf16_length(text[at:end])
        kind = draw(st.sampled_from("rdi"))
        if kind == "i":
            op.append(Insert(draw(TEXTS)))
            continue
        op.append(Retain(units) if kind == "r" else Delete(units))
        at = end
    if draw(st.booleans()):
        op.append(Insert(draw(TEXTS)))
    return tuple(op)


@st.composite
def concurrent(draw: st.DrawFn) -> tuple[str, TextOp, TextOp]:
    text = draw(TEXTS)
    return text, draw(operations(text)), draw(operations(text))


@st.composite
def consecutive(draw: st.DrawFn, count: int) -> tuple[str, list[TextOp]]:
    text = now = draw(TEXTS)
    ops = []
    for _ in range(count):
        ops.append(draw(operations(now)))
        now = apply(now, ops[-1])
    return text, ops


@given(concurrent())
def test_tp1_both_orders_lead_to_the_same_text(case: tuple[str, TextOp, TextOp]) -> None:
    text, a, b = case
    one = apply(apply(text, a), transform(b, a, first=False))
    other = apply(apply(text, b), transform(a, b, first=True))
    assert one == other


@given(consecutive(2), st.data())
def test_transforming_over_two_is_transforming_over_their_composition_up_to_deletions(
    case: tuple[str, list[TextOp]], data: st.DataObject
) -> None:
    text, (a, b) = case
    op = tuple(step for step in data.draw(operations(text)) if not isinstance(step, Insert))
    both = transform(transform(op, a, first=False), b, first=False)
    assert apply(apply(text, compose(a, b)), transform(op, compose(a, b), first=False)) == apply(
        apply(apply(text, a), b), both
    )


@given(consecutive(2))
def test_compose_is_one_after_the_other(case: tuple[str, list[TextOp]]) -> None:
    text, (a, b) = case
    assert apply(text, compose(a, b)) == apply(apply(text, a), b)


@given(consecutive(3))
def test_compose_is_associative_in_what_it_does(case: tuple[str, list[TextOp]]) -> None:
    text, (a, b, c) = case
    assert apply(text, compose(compose(a, b), c)) == apply(text, compose(a, compose(b, c)))


@given(consecutive(1))
def test_normalise_changes_nothing_and_is_idempotent(case: tuple[str, list[TextOp]]) -> None:
    text, (op,) = case
    normal = normalise(op)
    assert apply(text, normal) == apply(text, op)
    assert normalise(normal) == normal
    assert length_change(normal) == utf16_length(apply(text, op)) - utf16_length(text)


@given(TEXTS, TEXTS)
def test_difference_leads_from_one_to_the_other(before: str, after: str) -> None:
    assert apply(before, difference(before, after)) == after


@given(consecutive(1))
def test_the_document_and_the_operation_do_the_same(case: tuple[str, list[TextOp]]) -> None:
    text, (op,) = case
    file = FileId("f")
    live = Document(ClientId(1))
    live.watch_files()
    live.edit(lambda editor: editor.create(file, "a.txt", text))
    _, applied = live.edit(lambda editor: editor.splices(file, splices(op, text)))
    assert live.text(file) == apply(text, op)
    assert apply(text, from_delta(applied.deltas.get(file, ()), text)) == live.text(file)
