"""Samples → benchmarks-kube.json, benchmarks-kube.md (the words are in benchmarks-kube.in.md) and pictures."""

import json
import os
import re
from dataclasses import dataclass

import report
import setup
import stats
import svg
import tools
from workloads import CONFTEST, OURS, ROUNDTRIP

TEMPLATE = os.path.join(tools.HERE, "benchmarks-kube.in.md")


@dataclass
class Promise:
    title: str
    key: str
    limit: float
    # The limit is a share of this one's; absolute without.
    against: str = ""


PROMISES = (
    Promise("`check`, 5 000 documents: CPU time, ms", "check_cpu", 0.2, CONFTEST),
    Promise("the same: wall time, ms", "check_wall", 0.2, CONFTEST),
    Promise("the same: peak memory, MiB", "check_memory", 0.5, CONFTEST),
    Promise("`inject`, 1 000 documents: CPU time, ms", "inject_cpu", 0.5, ROUNDTRIP),
    Promise("the same: wall time, ms", "inject_wall", 0.5, ROUNDTRIP),
    Promise("one file, cold: CPU time, ms", "cold_cpu", 15),
    Promise("static binary, bytes", "size", 16 * 2**20),
)
PICTURES = (
    ("check", "check_cpu", "check, 5 000 documents", "CPU time, ms"),
    ("memory", "check_memory", "check, 5 000 documents", "peak memory, MiB"),
    ("inject", "inject_cpu", "inject, 1 000 documents", "CPU time, ms"),
)
TITLES = {"wall": "wall time, ms", "cpu": "CPU time, ms", "memory": "peak memory, MiB"}


def write(folder, programs, results, facts):
    os.makedirs(os.path.join(folder, "pictures"), exist_ok=True)
    facts = report.about() | facts | {"go": setup.output("go", "env", "GOVERSION")}
    facts |= {"conftest": tools.CONFTEST, **tools.versions()}
    kept = promises(results)
    figures = {key: {name: stats.summary(samples) for name, samples in found.items()} for key, found in results.items()}
    document = {"about": facts, "figures": figures, "promises": kept}
    save = lambda name, text: report.save(os.path.join(folder, name), text)
    save("benchmarks-kube.json", json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    for name, text in pictures(figures).items():
        save(os.path.join("pictures", f"bench-kube-{name}.svg"), text)
    save("benchmarks-kube.md", fill(results, figures, kept, facts))
    print("\n".join(report.promise_table(kept, OURS)))


def promises(results):
    kept = []
    for promise in PROMISES:
        found = results.get(promise.key)
        if not found:
            continue
        value = stats.summary(found[OURS])["median"]
        entry = {"promise": promise.title, "value": value, "limit": promise.limit, "against": promise.against}
        entry |= {"aim": None, "plus": False}
        if promise.against:
            entry["theirs"] = stats.summary(found[promise.against])["median"]
            entry |= stats.paired(found[OURS], found[promise.against])
        judged = entry.get("ratio", value)
        kept.append(entry | {"met": "yes" if judged <= promise.limit else "no"})
    return kept


def table(key, results, figures):
    keys = [f"{key}_{measure}" for measure in TITLES]
    if keys[0] not in results:
        yield "Not measured in this run."
        return
    yield "| | " + " | ".join(TITLES.values()) + " |"
    yield "|---" + "|---:" * len(TITLES) + "|"
    for name in results[keys[0]]:
        cells = [report.cell(figures[key][name]) for key in keys]
        bold = "**" if name == OURS else ""
        yield f"| {bold}{name}{bold} | " + " | ".join(cells) + " |"


def levels(results):
    """The builds beside each other: bytes, and the times of each as shares of ours."""
    columns = [key for key in ("check_cpu", "inject_cpu", "cold_cpu") if key in results]
    yield "| | bytes | " + " | ".join(f"{key.removesuffix('_cpu')}: CPU time" for key in columns) + " |"
    yield "|---|---:" + "|---:" * len(columns) + "|"
    for name, [size] in results.get("size", {}).items():
        ratios = [stats.paired(results[key][name], results[key][OURS]) for key in columns]
        cells = [f"{one['ratio']:.2f} × ({one['low']:.2f}–{one['high']:.2f})" for one in ratios]
        yield f"| {name} | {svg.number(size)} | " + " | ".join(["1 ×"] * len(columns) if name == OURS else cells) + " |"


def pictures(figures):
    drawn = {}
    for name, key, title, unit in PICTURES:
        shown = [(who, kind(who), summary) for who, summary in figures.get(key, {}).items() if kind(who)]
        if shown:
            drawn[name] = svg.bars(title, unit, shown)
    return drawn


def kind(name):
    """Builds at other levels are in the tables only."""
    return {OURS: "ours", CONFTEST: "peer", ROUNDTRIP: "peer"}.get(name)


def fill(results, figures, kept, facts):
    """The hand-written page, with its {{…}} replaced."""

    def part(match):
        what, _, name = match[1].partition(":")
        if what == "table":
            return "\n".join(table(name, results, figures))
        if what == "promises":
            return "\n".join(report.promise_table(kept, OURS))
        if what == "levels":
            return "\n".join(levels(results))
        if what == "picture":
            return f"![{name}](pictures/bench-kube-{name}.svg)"
        fact = facts[what] if what in facts else "?"
        return svg.number(fact) if isinstance(fact, int) else str(fact)

    with open(TEMPLATE, encoding="utf-8") as file:
        return re.sub(r"\{\{([a-z_:]+)\}\}", part, file.read())
