"""Plays one world after another and adds up what they came to."""

from __future__ import annotations

from collab.merge.contest import Resolver
from tests.lost_keystrokes.afterwards import Afterwards
from tests.lost_keystrokes.figures import Figures
from tests.lost_keystrokes.hunks import Hunks
from tests.lost_keystrokes.keystrokes import Keystrokes
from tests.lost_keystrokes.world import World


def play(seed: int, resolver: Resolver) -> Figures:
    """One world from its seed to its figures."""
    figures = Figures(worlds=1)
    world = World(seed, resolver)
    world.play()
    figures.jobs = len(world.jobs)
    agree(world, figures)
    figures.problems += [(seed, problem) for problem in world.problems]
    for job in world.jobs:
        figures.problems += [(seed, problem) for problem in job.problems]
        Hunks(world, job).judge(figures)
    Keystrokes(world).judge(figures)
    Afterwards(world, figures).play()
    agree(world, figures)
    lost = Keystrokes(world).lost()
    if lost:
        figures.lost += len(lost)
        figures.problems.append((seed, f"lost by a choice or an undo: {lost.ranges()[:5]}"))
    return figures


def agree(world: World, figures: Figures) -> None:
    """Everybody has the same text."""
    files = world.live.listing().files
    for person in world.people:
        if person.replica.listing().files.keys() != files.keys():
            figures.problems.append((world.seed, f"person {person.number} has other files"))
        elif any(person.replica.text(file) != world.live.text(file) for file in files):
            figures.problems.append((world.seed, f"person {person.number} has another text"))
