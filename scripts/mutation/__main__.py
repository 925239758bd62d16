"""`make mutants`: how many of a seeded sample of mutants the tests catch, area by area.

Exit status 1 when an area is below 90 %, 2 when tests fail without a mutant.
"""

import argparse
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from areas import LEAST_CAUGHT, Area, Mutant, areas, hand_made
from sampling import sample
from trial import BrokenTests, Tree

_SPARE_SECONDS = 60.0
_SLOWER = 3  # than without a mutant: an endless loop rather than a busy machine


@dataclass(slots=True)
class Score:
    """What became of an area's mutants."""

    area: str
    caught: int = 0
    survivors: list[Mutant] = field(default_factory=list)

    @property
    def share(self) -> float:
        """Of the mutants, those that were caught; all, where there are none."""
        mutants = self.caught + len(self.survivors)
        return self.caught / mutants if mutants else 1.0


def main() -> int:
    """Sample, try, print."""
    options = _options()
    by_hand = hand_made()
    chosen = [area for area in areas() if not options.areas or area.name in options.areas]
    scores = []
    with TemporaryDirectory(prefix="postrank-mutants-") as folder:
        tree = Tree(Path(folder) / "tree")
        for area in chosen:
            mutants = _mutants(area, by_hand, options.seed, options.count)
            try:
                scores.append(_score(tree, area, mutants))
            except BrokenTests as error:
                print(error, file=sys.stderr)
                return 2
    print(f"\nSEED={options.seed} COUNT={options.count}")
    for score in scores:
        print(f"{score.area:<12} {score.caught:>4} caught {len(score.survivors):>4} survived {score.share:>7.1%}")
    return int(any(score.share < LEAST_CAUGHT for score in scores))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--seed", type=int, default=7, help="the same seed gives the same mutants (default: 7)")
    parser.add_argument("--count", type=int, default=20, help="mutants of an area (default: 20)")
    parser.add_argument("areas", nargs="*", help="names of areas (default: all)")
    options = parser.parse_args()
    names = [area.name for area in areas()]
    if unknown := [name for name in options.areas if name not in names]:
        parser.error(f"no area is named {unknown[0]}: {', '.join(names)}")
    return options


def _mutants(area: Area, by_hand: Sequence[Mutant], seed: int, count: int) -> list[Mutant]:
    """A sample of an area's own mutants; of an area of hand-made ones, of these."""
    own = [mutant for mutant in by_hand if mutant.area == area.name]
    return _some(own, f"{seed} {area.name}", count) if own else sample(area, seed, count)


def _some(mutants: Sequence[Mutant], seed: str, count: int) -> list[Mutant]:
    return random.Random(seed).sample(mutants, min(count, len(mutants)))  # noqa: S311 no secret


def _score(tree: Tree, area: Area, mutants: Sequence[Mutant]) -> Score:
    score = Score(area.name)
    tests = dict.fromkeys(test for mutant in mutants for test in mutant.tests)
    limit = tree.baseline(list(tests)) * _SLOWER + _SPARE_SECONDS if tests else 0.0
    for mutant in mutants:
        outcome = tree.outcome(mutant, limit)
        before, after = mutant.change
        print(f"{'caught  ' if outcome.caught else 'SURVIVED'} {outcome.seconds:6.1f} s {mutant.path}:{mutant.line}")
        print(f"    - {before}\n    + {after}", flush=True)
        if outcome.caught:
            score.caught += 1
        else:
            score.survivors.append(mutant)
    return score


if __name__ == "__main__":
    sys.exit(main())
