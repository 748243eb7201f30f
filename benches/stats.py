"""Medians, percentiles, and how sure a ratio is."""

import random
import statistics


def quantile(values, share):
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def summary(values):
    """-> median, 10th and 90th percentile, how many."""
    return {
        "median": statistics.median(values),
        "p10": quantile(values, 0.1),
        "p90": quantile(values, 0.9),
        "n": len(values),
    }


def minus(values, base):
    """The samples less the median of others: what a wrapper adds."""
    middle = statistics.median(base)
    return [value - middle for value in values]


def ratio(ours, theirs, base=None):
    """-> ratio of the medians (less the median of `base`), and the 90 % interval of 200 bootstrap draws."""
    rng = random.Random(1)

    def once(draw):
        floor = statistics.median(draw(base)) if base else 0
        below = statistics.median(draw(theirs)) - floor
        return (statistics.median(draw(ours)) - floor) / below if below else float("nan")

    draws = [once(lambda values: rng.choices(values, k=len(values))) for _ in range(200)]
    return {"ratio": once(lambda values: values), "low": quantile(draws, 0.05), "high": quantile(draws, 0.95)}


def paired(ours, theirs):
    """-> median of the ratios of each round, and its 90 % interval from 200 bootstrap draws of the rounds."""
    rng = random.Random(1)
    rounds = [a / b for a, b in zip(ours, theirs, strict=True)]
    draws = [statistics.median(rng.choices(rounds, k=len(rounds))) for _ in range(200)]
    return {"ratio": statistics.median(rounds), "low": quantile(draws, 0.05), "high": quantile(draws, 0.95)}


def thirds(values):
    """-> medians of the first and of the last third, when the first tenth has warmed it up."""
    kept = values[len(values) // 10 :]
    third = max(1, len(kept) // 3)
    return statistics.median(kept[:third]), statistics.median(kept[-third:])
