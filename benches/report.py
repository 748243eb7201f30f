"""Samples → benchmarks.json, benchmarks.md (the words are in benchmarks.in.md) and pictures."""

import json
import os
import platform
import re
import subprocess
import time

import catalogue
import contenders
import setup
import soaked
import stats
import svg
from contenders import BARE, OURS

TEMPLATE = os.path.join(setup.HERE, "benchmarks.in.md")


def write(folder, rows, results):
    os.makedirs(os.path.join(folder, "pictures"), exist_ok=True)
    kept = promises(rows, results)
    document = {
        "about": about(),
        "contenders": {row.name: {"version": row.version, "kind": row.kind, "bytes": row.size} for row in rows},
        "figures": {
            key: {name: stats.summary(samples) for name, samples in found.items()} for key, found in results.items()
        },
        "promises": kept,
    }
    save(os.path.join(folder, "benchmarks.json"), json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    for name, text in pictures(rows, results).items():
        save(os.path.join(folder, "pictures", f"bench-{name}.svg"), text)
    page = fill(rows, results, kept, {**document["about"], "soak": soaked.of(folder)})
    save(os.path.join(folder, "benchmarks.md"), page)
    print("\n".join(promise_table(kept)))


def save(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def told(*command):
    try:
        return setup.output(*command)
    except setup.Missing:
        return f"no {command[0]}"


def about():
    def first(pattern, path):
        with open(path, encoding="utf-8") as file:
            match = re.search(pattern, file.read(), re.MULTILINE)
        return match[1] if match else "?"

    def git(*words):
        command = ["git", "-C", setup.ROOT, *words]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()

    changed = git("status", "--porcelain", "--", "src", "crates", "Cargo.toml", "Cargo.lock", ".cargo")
    return {
        "date": time.strftime("%Y-%m-%d"),
        "commit": git("rev-parse", "--short", "HEAD") + (" and changes" if changed else ""),
        "processor": first(r"^(?:model name|Processor)\s*: (.*)$", "/proc/cpuinfo"),
        "processors": os.cpu_count(),
        "machine": "a virtual machine" if first(r"^flags.*\b(hypervisor)\b", "/proc/cpuinfo") != "?" else "bare metal",
        "kernel": platform.release().partition("-")[0],
        "system": first(r'^PRETTY_NAME="(.*)"$', "/etc/os-release"),
        "rustc": told("rustc", "-V"),
        "cc": told("cc", "--version").partition("\n")[0],
        "load": load(),
    }


def load():
    """Of the last quarter of an hour."""
    return round(os.getloadavg()[2], 1)


# --- what was promised ------------------------------------------------------------------------------------


def best_peer(rows, found):
    there = [row.name for row in rows if row.peer and row.name in found]
    return min(there, key=lambda name: stats.summary(found[name])["median"], default=None)


def promises(rows, results):
    kept = []
    for promise in catalogue.PROMISES:
        found = results.get(promise.key, {})
        against = best_peer(rows, found) if promise.against == "best" else promise.against
        if promise.row not in found or (against and against not in found):
            continue
        base = found.get(BARE) if promise.added else None
        ours, theirs = found[promise.row], found.get(against)
        value = stats.summary(stats.minus(ours, base) if base else ours)["median"]
        entry = {"promise": promise.text, "value": value, "against": against}
        entry.update(limit=promise.limit, aim=promise.aim, plus=promise.plus)
        if theirs:
            entry["theirs"] = stats.summary(stats.minus(theirs, base) if base else theirs)["median"]
        if theirs and not promise.plus:
            entry.update(stats.ratio(ours, theirs, base))
            judged = entry["ratio"]
        else:
            judged = value - (entry["theirs"] if promise.plus else 0)
        near = entry.get("low", judged) <= promise.limit
        entry["met"] = "yes" if judged <= promise.limit else "within noise" if near else "no"
        kept.append(entry)
    return kept


def promise_table(kept, ours=OURS):
    yield f"| | {ours} | to compare with | ratio (90 % interval) | limit | met |"
    yield "|---|---:|---:|---:|---:|---|"
    for entry in kept:
        number = svg.number
        theirs = f"{entry['against']}: {number(entry['theirs'])}" if entry["against"] else "–"
        ratio = f"{entry['ratio']:.2f} ({entry['low']:.2f}–{entry['high']:.2f})" if "ratio" in entry else "–"
        limit = f"{number(entry['limit'])}" + (" ×" if "ratio" in entry else " more" if entry["plus"] else "")
        limit = f"at least {limit}" if entry.get("least") else limit
        limit += f", aim {number(entry['aim'])}" if entry["aim"] else ""
        met = "**no**" if entry["met"] == "no" else entry["met"]
        yield f"| {entry['promise']} | {number(entry['value'])} | {theirs} | {ratio} | {limit} | {met} |"


# --- tables and pictures ----------------------------------------------------------------------------------


def names(rows, results, keys):
    """Who has any of these figures, in the table's order: variants of ours behind ours, helpers at the end."""
    there = [name for key in keys for name in results.get(key, {})]
    order = [row.name for row in rows]

    def place(name):
        listed = name if name in order else OURS if name.startswith(f"{OURS},") else None
        return order.index(listed) if listed else len(order)

    return sorted(dict.fromkeys(there), key=place)


def summaries(column, results):
    found = results.get(column.key, {})
    base = found.get(BARE) if column.added else None
    return {name: stats.summary(stats.minus(samples, base) if base else samples) for name, samples in found.items()}


def table(rows, results, columns):
    columns = [column for column in columns if column.key in results]
    if not columns:
        yield "Not measured in this run."
        return
    yield "| | " + " | ".join(column.title for column in columns) + " |"
    yield "|---" + "|---:" * len(columns) + "|"
    found = [summaries(column, results) for column in columns]
    for name in names(rows, results, [column.key for column in columns]):
        if name == BARE and all(column.added for column in columns):
            continue
        cells = [cell(summary.get(name)) for summary in found]
        bold = "**" if name == OURS else ""
        yield f"| {bold}{name}{bold} | " + " | ".join(cells) + " |"


def cell(summary):
    if not summary:
        return "–"
    median = svg.number(summary["median"])
    if summary["p10"] == summary["p90"]:
        return median
    return f"{median} ({svg.number(summary['p10'])}–{svg.number(summary['p90'])})"


def pictures(rows, results):
    kinds = {row.name: "peer" if row.peer else "other" for row in rows}
    kinds.update({contenders.FLOOR_C: "floor", contenders.FLOOR_RUST: "floor", BARE: "floor"})
    columns = {column.key: column for group in catalogue.TABLES.values() for column in group}
    drawn = {}
    for name, key, title, unit in catalogue.PICTURES:
        found = summaries(columns[key], results)
        who = [label for label in names(rows, results, [key]) if label != BARE]
        kind = lambda label: "ours" if label.startswith(OURS) else kinds.get(label, "floor")
        if who:
            drawn[name] = svg.bars(title, unit, [(label, kind(label), found[label]) for label in who])
    return drawn


def fill(rows, results, kept, facts):
    """The hand-written page, with its {{…}} replaced."""

    def part(match):
        kind, _, name = match[1].partition(":")
        if kind == "table":
            return "\n".join(table(rows, results, catalogue.TABLES[name]))
        if kind == "promises":
            return "\n".join(promise_table(kept))
        if kind == "picture":
            return f"![{name}](pictures/bench-{name}.svg)"
        if kind == "contenders":
            return "\n".join(contender_table(rows))
        return str(facts[kind])

    with open(TEMPLATE, encoding="utf-8") as file:
        return re.sub(r"\{\{([a-z:]+)\}\}", part, file.read())


def contender_table(rows):
    yield "| | version | what it is | bytes |"
    yield "|---|---|---|---:|"
    for row in rows:
        if row.words:
            yield f"| {row.name} | {row.version or '–'} | {row.kind} | {svg.number(row.size)} |"
