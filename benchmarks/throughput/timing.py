"""Timing many things side by side, and comparing what was timed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Literal

import numpy as np

from benchmarks.ratios import spread

Precision = Literal["float32", "bfloat16"]
PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16")
Task = Callable[[], object]
#: Seconds of one call of a task, once for each round.
Timings = dict["Variant", list[float]]

ROUNDS = 10
#: Rounds of a task that takes longer than its time.
FEWEST_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Variant:
    """A variant that is timed. batch: films in one call."""

    way: Literal["ensemble", "other ensemble", "studies", "bare", "preprocessing", "matrix product"]
    precision: Precision = "float32"
    batch: int = 1
    network: str = ""


#: The studies' way has no batches, and computes in what Keras takes unless told.
STUDIES = Variant("studies")


def interleaved(
    tasks: Mapping[Variant, Task], seconds: float, tick: Callable[[], object] = lambda: None
) -> Timings:
    """Time each task for about so many seconds in all, in rounds there and back, once warm.

    tick: called after each task of each round.
    """
    for task in tasks.values():
        task()
    times: Timings = {variant: [] for variant in tasks}
    spent = dict.fromkeys(tasks, 0.0)
    for number in range(ROUNDS):
        for variant in list(tasks)[:: -1 if number % 2 else 1]:
            if spent[variant] < seconds or number < FEWEST_ROUNDS:
                start, calls = perf_counter(), 0
                while not calls or perf_counter() - start < seconds / ROUNDS:
                    tasks[variant]()
                    calls += 1
                elapsed = perf_counter() - start
                spent[variant] += elapsed
                times[variant].append(elapsed / calls)
            tick()
    return times


def per_film(times: Timings, variant: Variant) -> list[float]:
    """Seconds for one film, in each round."""
    return [seconds / variant.batch for seconds in times[variant]]


def best_bare(times: Timings, precision: Precision, name: str) -> Variant:
    """At which of its batches a bare network is fastest."""
    batches = [v for v in times if (v.way, v.precision, v.network) == ("bare", precision, name)]
    return min(batches, key=lambda variant: spread(per_film(times, variant)).median)


def bare_per_film(times: Timings, precision: Precision, views: Mapping[str, int]) -> list[float]:
    """The least seconds for one film, in each round: every network at its best batch.

    views: how often each network sees a film.
    """
    rounds = zip(
        *(per_film(times, best_bare(times, precision, name)) for name in views), strict=False
    )
    return [float(np.dot(each, list(views.values()))) for each in rounds]
