from __future__ import annotations

from generation.catalog import Capability, Catalog, ModelSpec, Provider
from generation.choice import Plan, Wanted, plan, wanted
from generation.standing import Standings

SMALL = Wanted(3_000, 10_000)


def spec(
    name: str,
    window: int = 100_000,
    capabilities: tuple[Capability, ...] = ("code",),
    missing_key: str = "",
) -> ModelSpec:
    provider = Provider("p", missing_key=missing_key)
    return ModelSpec(name, provider, name, window, capabilities=frozenset(capabilities))


def chosen(*models: ModelSpec, want: Wanted = SMALL, standings: Standings | None = None, now: float = 0) -> Plan:
    return plan(Catalog(models), standings or Standings(), want, now)


def names(found: Plan) -> list[str]:
    return [model.name for model in found.models]


def test_equals_are_taken_in_the_configured_order() -> None:
    found = chosen(spec("b"), spec("a"), spec("c"))
    assert names(found) == ["b", "a", "c"]
    assert "b scores" in found.why
    assert "a 0." in found.why


def test_a_model_whose_window_is_too_small_is_not_asked() -> None:
    found = chosen(spec("a", 8_000), spec("b"), want=Wanted(20_000, 30_000))
    assert names(found) == ["b"]
    assert "a has too small a window." in found.why


def test_a_window_in_which_more_fits_is_better() -> None:
    assert names(chosen(spec("a", 40_000), spec("b"), want=Wanted(3_000, 80_000)))[0] == "b"


def test_hard_requests_go_to_a_model_that_reasons() -> None:
    models = spec("a"), spec("b", capabilities=("code", "reasoning"))
    assert names(chosen(*models))[0] == "a"
    found = chosen(*models, want=wanted("Why does this deadlock?", 3_000, 10_000))
    assert names(found)[0] == "b"


def test_models_with_what_is_wanted_come_first_among_those_that_stand_in() -> None:
    plain, coder = spec("b", capabilities=()), spec("c")
    assert names(chosen(spec("a"), plain, coder)) == ["a", "c", "b"]


def test_failures_make_a_model_less_likely() -> None:
    standings = Standings()
    for _ in range(20):
        standings.of("a").take(0)
        standings.of("a").failed(0, probe=False)
        standings.of("a").take(0)
        standings.of("a").answered(0, 1.0, 1.0, 10, probe=False)
    found = chosen(spec("a"), spec("b"), standings=standings)
    assert names(found) == ["b", "a"]
    assert "success 100%" in found.why


def test_a_few_failures_in_a_row_are_left_to_the_breaker() -> None:
    standings = Standings()
    for _ in range(4):
        standings.of("a").take(0)
        standings.of("a").failed(0, probe=False)
    assert names(chosen(spec("a"), spec("b"), standings=standings))[0] == "a"


def test_a_much_slower_first_token_makes_a_model_less_likely_than_an_equal_one() -> None:
    standings = Standings()
    for _ in range(3):
        standings.of("a").take(0)
        standings.of("b").take(0)
        standings.of("a").answered(0, 120.0, 1.0, 10, probe=False)
        standings.of("b").answered(0, 0.2, 1.0, 10, probe=False)
    assert names(chosen(spec("a"), spec("b"), standings=standings))[0] == "b"


def test_load_moves_requests_to_a_free_model() -> None:
    standings = Standings()
    for _ in range(4):
        standings.of("a").take(0)
    assert names(chosen(spec("a"), spec("b"), standings=standings))[0] == "b"


def test_load_weighs_less_than_quality() -> None:
    standings = Standings()
    for _ in range(8):
        standings.of("a").take(0)
    none = spec("b", 4_500, ())
    for _ in range(20):
        standings.of("b").take(0)
        standings.of("b").answered(0, 60.0, 1.0, 10, probe=False)
    assert names(chosen(spec("a"), none, standings=standings, want=Wanted(1_000, 90_000)))[0] == "a"


def test_a_model_that_rests_is_passed_over_but_stays_for_later() -> None:
    standings = Standings()
    for _ in range(5):
        standings.of("a").take(0)
        standings.of("a").failed(0, probe=False)
    found = chosen(spec("a"), spec("b"), standings=standings, now=10)
    assert names(found) == ["b", "a"]
    assert "a rests for 50 s." in found.why


def test_a_model_that_has_rested_long_enough_is_asked_whether_it_is_back() -> None:
    standings = Standings()
    for _ in range(5):
        standings.of("a").take(0)
        standings.of("a").failed(0, probe=False)
    found = chosen(spec("a"), spec("b"), standings=standings, now=60)
    assert names(found) == ["a", "b"]
    assert "whether it is back" in found.why


def test_a_model_without_its_key_is_passed_over() -> None:
    found = chosen(spec("a", missing_key="the variable A_KEY is not set"), spec("b"))
    assert names(found) == ["b"]
    assert "a has no key." in found.why


def test_when_nothing_fits_something_is_asked_nonetheless() -> None:
    assert names(chosen(spec("a", 1_000), spec("b", 1_000), want=Wanted(5_000, 5_000))) == ["a", "b"]
