from collab.merge.three.merge import merge
from collab.merge.three.regions import Kind

BLOCK = "def area(side):\n    # a square\n    return side * side\n\n\n"
REST = "".join(f"def step_{n}():\n    return {n}\n\n\n" for n in range(4))
EDITED = BLOCK.replace("side * side", "side ** 2")


def test_an_edit_follows_the_block_that_the_other_side_moved() -> None:
    merged = merge(BLOCK + REST, REST + BLOCK, EDITED + REST)
    assert merged.clean
    assert merged.text == REST + EDITED


def test_our_edit_follows_the_block_that_they_moved() -> None:
    merged = merge(BLOCK + REST, EDITED + REST, REST + BLOCK)
    assert merged.clean
    assert merged.text == REST + EDITED


def test_what_ours_put_in_follows_no_move_when_it_is_to_stay() -> None:
    merged = merge(BLOCK + REST, EDITED + REST, REST + BLOCK, keeping=True)
    assert not merged.clean
    assert merge(BLOCK + REST, REST + BLOCK, EDITED + REST, keeping=True).text == REST + EDITED


def test_a_block_that_was_moved_and_changed_is_asked_about() -> None:
    merged = merge(BLOCK + REST, REST + BLOCK.replace("return", "yield"), EDITED + REST)
    assert not merged.clean
    assert merged.text == REST + BLOCK.replace("return", "yield")


def test_a_block_that_now_stands_twice_is_asked_about() -> None:
    assert not merge(BLOCK + REST, REST + BLOCK + "x = 1\n" + BLOCK, EDITED + REST).clean


def test_an_edit_at_the_edge_of_a_moved_block_is_asked_about() -> None:
    edited = BLOCK.replace("def area(side)", "def area(length)")
    assert not merge(BLOCK + REST, REST + BLOCK, edited + REST).clean


def test_two_lines_are_too_few_to_be_the_same_block() -> None:
    pair = "a = 1\nb = 2\n\nc = 3\n"
    assert any(
        region.kind is Kind.CONFLICT
        for region in merge(pair + REST, REST + "c = 3\n", pair.replace("2", "5") + REST).regions
    )
