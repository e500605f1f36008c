"""Rows: what is measured, against which limit, and how it is printed."""

import statistics
from dataclasses import dataclass
from typing import Callable

from host import NotMeasured, Quiet


@dataclass
class Outcome:
    """Two figures with their units, and the ratio that the limit is about."""
    ours: str
    peer: str
    ratio: float
    # Digits of the ratio: 0 where it is a count.
    digits: int = 2


@dataclass
class Row:
    name: str
    title: str
    # `>=` or `<=`, and a number, which may be one that only the measurement knows; or nothing, for
    # what is only told.
    sign: str
    limit: float | None
    measure: Callable[[int], Outcome]


rows: list[Row] = []


def row(name, title, sign, limit=None):
    """Makes a row of a function that takes the number of runs. With no limit it returns an outcome
    and a limit."""
    def add(measure):
        rows.append(Row(name, title, sign, limit, measure))
        return measure
    return add


def medians(*sides, runs, warmups=1):
    """The median of each function's results, the functions taking turns."""
    results = [[] for _ in sides]
    for number in range(-warmups, runs):
        order = list(enumerate(sides))
        for index, side in order if number % 2 else reversed(order):
            Quiet.wait()
            value = side()
            if number >= 0:
                results[index].append(value)
    return [statistics.median(values) for values in results]


def measured(row, runs, say):
    """The cells of a row."""
    try:
        outcome, limit = row.measure(runs), row.limit
        if limit is None and row.sign:
            outcome, limit = outcome
    except NotMeasured as reason:
        say(f"{row.name}: not measured: {reason}")
        return [row.name, row.title, "not measured", "", "", "", str(reason)]
    if not row.sign:
        cells = [row.name, row.title, outcome.ours, outcome.peer, f"{outcome.ratio:.2f}", "", ""]
        say(f"{row.name:14} ours {cells[2]:>12}  peer {cells[3]:>12}  ratio {cells[4]:>6}")
        return cells
    is_kept = outcome.ratio >= limit if row.sign == ">=" else outcome.ratio <= limit
    cells = [row.name, row.title, outcome.ours, outcome.peer,
             f"{outcome.ratio:.{outcome.digits}f}", f"{row.sign} {limit:g}",
             "ok" if is_kept else "SHORT"]
    say(f"{row.name:14} ours {cells[2]:>12}  peer {cells[3]:>12}  ratio {cells[4]:>6}  "
        f"limit {cells[5]:>7}  {cells[6]}")
    return cells


def markdown(results):
    head = ["row", "what", "ours", "peer", "ratio", "limit", ""]
    lines = [head, ["---", "---", "---:", "---:", "---:", "---:", "---"]] + results
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def seconds(value):
    return f"{value * 1000:.1f} ms" if value < 1 else f"{value:.2f} s"


def rate(value):
    """Bytes a second."""
    return f"{value / 1e6:.0f} MB/s"


def faster(ours, peer, show):
    """Of two rates, how many times the peer's ours is."""
    return Outcome(show(ours), show(peer), ours / peer)


def sooner(ours, peer):
    """Of two times, how many times as fast ours is."""
    return Outcome(seconds(ours), seconds(peer), peer / ours)


def longer(ours, peer):
    """Of two times, how many times the peer's ours is."""
    return Outcome(seconds(ours), seconds(peer), ours / peer)
