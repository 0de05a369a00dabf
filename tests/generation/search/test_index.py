from __future__ import annotations

import random

import pytest

from generation.search.index import ProjectIndex
from tests.generation.search.projects import SHOP, index_of, paths, settle


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("shopping cart", "shop/cart.py"),
        ("ShoppingCart", "shop/cart.py"),
        ("adding items", "shop/cart.py"),
        ("printInvoice", "shop/invoice.py"),
        ("counting the stock", "shop/stock.py"),
        ("test the cart", "tests/test_cart.py"),
    ],
)
def test_code_is_found_by_words_by_names_and_by_paths(question: str, first: str) -> None:
    assert paths(index_of(SHOP), question)[0] == first


def test_what_nothing_has_is_not_found() -> None:
    index = index_of(SHOP)
    assert paths(index, "quaternion") == []
    assert paths(index, "") == []
    assert paths(ProjectIndex(), "cart") == []


def test_tests_and_generated_files_come_behind_what_they_repeat() -> None:
    found = paths(index_of(SHOP), "cart")
    assert found.index("shop/cart.py") < found.index("tests/test_cart.py")
    assert found[-1] == "yarn.lock"


def test_a_file_that_has_few_of_the_words_has_a_small_share() -> None:
    files = {"a.py": "x = cart\n", "b.py": "y\n"}
    [few] = index_of(files).search("cart checkout discount voucher", 5)
    [all_of_them] = index_of(files).search("cart", 5)
    assert few.share < all_of_them.share / 2


def test_a_changed_file_is_found_by_what_it_says_now() -> None:
    files = dict(SHOP)
    index = index_of(files)
    files["shop/stock.py"] = "def forecast_weather():\n    return 'rain'\n"
    index.sync({path: path for path in files}, ["shop/stock.py"])
    assert index.pending == 1
    for _ in index.steps(files.get):
        pass
    assert paths(index, "weather") == ["shop/stock.py"]
    assert "shop/stock.py" not in paths(index, "count")


def test_only_what_has_changed_is_read() -> None:
    files = dict(SHOP)
    index = index_of(files)
    read: list[str] = []

    def look(file: str) -> str | None:
        read.append(file)
        return files.get(file)

    index.sync({path: path for path in files}, ["README.md"])
    for _ in index.steps(look):
        pass
    assert read == ["README.md"]


def test_a_file_that_is_gone_or_has_moved_is_found_no_more_or_where_it_is() -> None:
    files = dict(SHOP)
    index = index_of(files)
    del files["shop/stock.py"]
    index.sync({path: path if path != "shop/cart.py" else "lib/basket.py" for path in files}, [])
    for _ in index.steps(files.get):
        pass
    assert "shop/stock.py" not in paths(index, "stock")
    assert paths(index, "basket") == ["lib/basket.py"]
    assert index.search("basket")[0].file == "shop/cart.py"


def test_however_it_came_about_an_index_answers_as_one_that_is_made_anew() -> None:
    chance = random.Random(7)
    words = ["alpha", "beta", "gamma", "deltaForce", "epsilon_zeta", "omega"]
    files: dict[str, str] = {}
    index = ProjectIndex()
    for _ in range(400):
        path = f"f{chance.randrange(12)}.py"
        if chance.random() < 0.2:
            files.pop(path, None)
        else:
            files[path] = "\n".join(f"def {chance.choice(words)}(): {chance.choice(words)}" for _ in range(5))
        index_of(files, index)
    fresh = index_of(files)
    for question in words:
        assert paths(index, question) == paths(fresh, question)
    assert index.ranked() == pytest.approx(fresh.ranked())


def test_what_others_refer_to_ranks_high_and_higher_from_where_somebody_is_at_work() -> None:
    files = {
        "core.py": "def shared(): pass\n",
        "left.py": "def only_left(): shared()\n",
        "right.py": "def only_right(): shared()\n",
        "work.py": "only_left()\n",
    }
    index = index_of(files)
    ranked = index.ranked()
    assert max(ranked, key=lambda file: ranked[file]) == "core.py"
    assert sum(ranked.values()) == pytest.approx(1.0)
    near = index.ranked({"work.py": 1.0})
    assert near["left.py"] > ranked["left.py"]
    assert near["right.py"] < ranked["right.py"]


def test_relations_are_told_both_ways() -> None:
    index = index_of(SHOP)
    assert index.related("shop/invoice.py")[0] == ["shop/cart.py"]
    assert set(index.related("shop/cart.py")[1]) == {"shop/invoice.py", "tests/test_cart.py"}
    assert index.related("nowhere") == ([], [])


def test_names_in_a_text_are_those_that_the_project_defines() -> None:
    index = index_of(SHOP)
    assert index.names_in("Let print_invoice use ShoppingCart and more.") == ["print_invoice", "ShoppingCart"]
    assert index.defining(["ShoppingCart", "nothing"]) == {"ShoppingCart": ["shop/cart.py"]}


def test_a_file_that_changes_while_it_is_read_is_read_again() -> None:
    files = {"big.py": "first = 1\n" * 5_000}
    index = ProjectIndex()
    index.sync({"big.py": "big.py"})
    steps = index.steps(files.get)
    next(steps)
    files["big.py"] = "second = 2\n"
    index.sync({"big.py": "big.py"}, ["big.py"])
    for _ in steps:
        pass
    assert paths(index, "second") == ["big.py"]
    assert paths(index, "first") == []
    assert not index.pending


def test_work_that_is_given_up_at_any_step_is_done_later() -> None:
    chance = random.Random(3)
    files = {f"f{number}.py": f"def name{number}(): name{(number + 1) % 40}()\n" * 2 for number in range(40)}
    index = ProjectIndex()
    for round_ in range(60):
        path = f"f{chance.randrange(40)}.py"
        files[path] = files[path] + f"# round{round_}\n"
        index.sync({path: path for path in files}, [path])
        for steps in (index.steps(files.get), index.refer()):
            for _ in range(chance.randrange(12)):
                next(steps, None)
            steps.close()  # type: ignore[attr-defined]
    while index.pending or index.outdated:
        settle(index, files)
    fresh = index_of(files)
    for number in range(40):
        assert paths(index, f"name{number} round{number}") == paths(fresh, f"name{number} round{number}")
    assert index.ranked() == pytest.approx(fresh.ranked())


def test_a_changed_file_keeps_its_place_until_references_are_worked_out_anew() -> None:
    files = dict(SHOP)
    index = index_of(files)
    before = index.ranked()
    files["shop/cart.py"] += "# more\n"
    index.sync({path: path for path in files}, ["shop/cart.py"])
    for _ in index.steps(files.get):
        pass
    assert index.outdated
    assert index.ranked() == pytest.approx(before)
    assert index.related("shop/invoice.py")[0] == ["shop/cart.py"]
