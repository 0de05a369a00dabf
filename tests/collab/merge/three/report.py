"""Prints how three merges score on the real cases, and which of ours differ from what people committed."""

from __future__ import annotations

import sys

from collab.syntax.syntax import Syntax
from tests.collab.merge.three.baselines import by_git, by_words
from tests.collab.merge.three.scoring import by_pairloom, cases, score


def main() -> None:
    """Prints the table."""
    syntax = Syntax()
    easy = [case for case in cases() if not case.git_conflicts]
    hard = [case for case in cases() if case.git_conflicts]
    ways = (
        ("Pairloom", lambda case: by_pairloom(case, syntax)),
        ("git merge-file", by_git),
        ("diff3 on words", by_words),
    )
    write = sys.stdout.write
    write(f"{'':<32}{'right':>11}{'asked':>11}{'different':>11}{'dropping':>11}{'broken':>11}\n")
    for name, run in ways:
        for what, chosen in (("git merges", easy), ("git gives up", hard)):
            write(f"{name:<16}{what:<16}{score(chosen, run, syntax).row()}\n")
    write("\nMerged by Pairloom, and not as people did:\n")
    for name in score(hard, lambda case: by_pairloom(case, syntax), syntax).different:
        write(f"  {name}\n")


if __name__ == "__main__":
    main()
