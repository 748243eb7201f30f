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
from servers import GO
from webhook import SIZES
from workloads import CONFTEST, OURS, ROUNDTRIP

TEMPLATE = os.path.join(tools.HERE, "benchmarks-kube.in.md")


@dataclass
class Promise:
    title: str
    key: str
    limit: float
    # The limit is a share of this one's; absolute without.
    against: str = ""
    # The limit is the least, not the most.
    least: bool = False


PROMISES = (
    Promise("`check`, 5 000 documents: CPU time, ms", "check_cpu", 0.2, CONFTEST),
    Promise("the same: wall time, ms", "check_wall", 0.2, CONFTEST),
    Promise("the same: peak memory, MiB", "check_memory", 0.5, CONFTEST),
    Promise("`inject`, 1 000 documents: CPU time, ms", "inject_cpu", 0.5, ROUNDTRIP),
    Promise("the same: wall time, ms", "inject_wall", 0.5, ROUNDTRIP),
    Promise("one file, cold: CPU time, ms", "cold_cpu", 15),
    Promise("static binary, bytes", "size", 16 * 2**20),
    Promise("`webhook`, full speed: admissions/s", "webhook_rate", 3, GO, least=True),
    Promise("the same, 1 000 admissions/s: 99th percentile, ms", "webhook_p99", 0.5, GO),
    Promise("the same: resident memory afterwards, MiB", "webhook_memory", 0.25, GO),
    Promise("the same: start until it is ready, ms", "webhook_start", 0.3, GO),
)
PICTURES = (
    ("check", "check_cpu", "check, 5 000 documents", "CPU time, ms"),
    ("memory", "check_memory", "check, 5 000 documents", "peak memory, MiB"),
    ("inject", "inject_cpu", "inject, 1 000 documents", "CPU time, ms"),
    ("webhook-rate", "webhook_rate", "webhook, full speed", "admissions/s"),
    ("webhook-p99", "webhook_p99", "webhook, 1 000 admissions/s", "99th percentile of latency, ms"),
    ("webhook-memory", "webhook_memory", "webhook, after the load", "resident memory, MiB"),
)
COST = {"wall": "wall time, ms", "cpu": "CPU time, ms", "memory": "peak memory, MiB"}
# What stands in the columns of a table with a row for each program.
TABLES = {table: {f"{table}_{key}": title for key, title in COST.items()} for table in ("check", "inject", "worst", "cold")}
TABLES["webhook"] = {
    "webhook_rate": "full speed: admissions/s",
    "webhook_cpu": "CPU time of one, µs",
    "webhook_median": "1 000/s: median, ms",
    "webhook_p99": "99th percentile, ms",
    "webhook_steady_cpu": "CPU time of one, µs",
    "webhook_memory": "resident afterwards, MiB",
    "webhook_start": "start until ready, ms",
}
# A row for each number: what it counts, the numbers, and what stands in the columns for either webhook.
BESIDE = {
    "sizes": ("containers", "size", SIZES, {"cpu": "CPU time of one, µs", "rate": "admissions/s"}),
    "replicas": (
        "replicas",
        "replicas",
        (1, 2),
        {
            "rate": "full speed: admissions/s",
            "cpu": "1 000/s: CPU time of one, µs",
            "p99": "99th percentile, ms",
            "memory": "resident, all together, MiB",
        },
    ),
}
HOURLY = 10_000
SOAK = "benchmarks-kube-soak.json"


def write(folder, programs, results, facts):
    os.makedirs(os.path.join(folder, "pictures"), exist_ok=True)
    facts = report.about() | facts | {"go": setup.output("go", "env", "GOVERSION")}
    facts |= {"conftest": tools.CONFTEST, "oha": tools.OHA}
    # Both are built on apimachinery; the page names the round trip's.
    facts |= tools.versions(tools.CONTROLLER_RUNTIME) | tools.versions(tools.ROUNDTRIP)
    kept = promises(results)
    figures = {key: {name: stats.summary(samples) for name, samples in found.items()} for key, found in results.items()}
    facts |= {"hourly": HOURLY, "soak": soak(folder), **dict(paper(figures))}
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
        met = judged >= promise.limit if promise.least else judged <= promise.limit
        kept.append(entry | {"least": promise.least, "met": "yes" if met else "no"})
    return kept


def table(key, results, figures):
    keys = list(TABLES[key])
    if keys[0] not in results:
        yield "Not measured in this run."
        return
    yield "| | " + " | ".join(TABLES[key].values()) + " |"
    yield "|---" + "|---:" * len(keys) + "|"
    for name in results[keys[0]]:
        cells = [report.cell(figures[key][name]) for key in keys]
        bold = "**" if name == OURS else ""
        yield f"| {bold}{name}{bold} | " + " | ".join(cells) + " |"


def beside(key, results, figures):
    """What grows with a number: a row for each, ours and theirs beside each other."""
    counted, prefix, numbers, columns = BESIDE[key]
    if f"{prefix}{numbers[0]}_cpu" not in results:
        yield "Not measured in this run."
        return
    yield f"| {counted} | " + " | ".join(f"{title} | {GO} | ratio" for title in columns.values()) + " |"
    yield "|---:" * (1 + 3 * len(columns)) + "|"
    for at in numbers:
        cells = []
        for column in columns:
            name = f"{prefix}{at}_{column}"
            one = stats.paired(results[name][OURS], results[name][GO])
            ratio = f"{one['ratio']:.2f} × ({one['low']:.2f}–{one['high']:.2f})"
            cells += [f"**{report.cell(figures[name][OURS])}**", report.cell(figures[name][GO]), ratio]
        yield f"| {at} | " + " | ".join(cells) + " |"


def paper(figures):
    """What HOURLY pods an hour cost either webhook: thousandths of a core, by the CPU time of an admission."""
    for name, summary in figures.get("webhook_steady_cpu", {}).items():
        cores = summary["median"] / 1e6 * HOURLY / 3600
        yield {OURS: "paper_ours", GO: "paper_theirs"}[name], svg.number(cores * 1000)


def soak(folder):
    """What benches/kube/soak has left there."""
    path = os.path.join(folder, SOAK)
    if not os.path.exists(path):
        return None
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def soaked(found):
    if not found:
        yield "`benches/kube/soak` has not run."
        return
    yield "![soak](pictures/bench-kube-soak.svg)"
    yield ""
    yield from soak_table(found)
    yield ""
    yield found["said"]


def soak_table(found):
    """Medians of the first and the last third, and what stays open, of each webhook."""
    yield "| certificate | certificates served | memory, first third, MiB | last third | descriptors, first third | last third | before the load, after it |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    for name, of in found["webhooks"].items():
        numbers = [of["certificates"], *of["memory"], *of["open"]]
        yield f"| {name} | " + " | ".join(map(svg.number, numbers)) + " | {}, {} |".format(*of["descriptors"])


def put_soak(folder, found):
    """Into the page that is there, if one is."""
    path = os.path.join(folder, "benchmarks-kube.md")
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        section = re.compile(r"(?<=^### A soak\n\n).*?(?=^#)", re.MULTILINE | re.DOTALL)
        report.save(path, section.sub(lambda _: "\n".join([*soaked(found), "", ""]), text))


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
            drawn[name] = svg.bars(title, unit, shown, "longer" if unit.endswith("/s") else "shorter")
    counted, prefix, numbers, _ = BESIDE["sizes"]
    there = [(at, figures[f"{prefix}{at}_cpu"]) for at in numbers if f"{prefix}{at}_cpu" in figures]
    rows = [(f"{name}, {at}", kind(name), summary) for at, found in there for name, summary in found.items()]
    if rows:
        drawn["webhook-sizes"] = svg.bars(f"webhook, by the pod's {counted}", "CPU time of an admission, µs", rows)
    return drawn


def kind(name):
    """Builds at other levels are in the tables only."""
    return {OURS: "ours", CONFTEST: "peer", ROUNDTRIP: "peer", GO: "peer"}.get(name)


def fill(results, figures, kept, facts):
    """The hand-written page, with its {{…}} replaced."""

    def part(match):
        what, _, name = match[1].partition(":")
        if what == "table":
            return "\n".join((beside if name in BESIDE else table)(name, results, figures))
        if what == "promises":
            return "\n".join(report.promise_table(kept, OURS))
        if what == "soak":
            return "\n".join(soaked(facts.get("soak")))
        if what == "levels":
            return "\n".join(levels(results))
        if what == "picture":
            return f"![{name}](pictures/bench-kube-{name}.svg)"
        fact = facts[what] if what in facts else "?"
        return svg.number(fact) if isinstance(fact, int) else str(fact)

    with open(TEMPLATE, encoding="utf-8") as file:
        return re.sub(r"\{\{([a-z0-9_:-]+)\}\}", part, file.read())
