"""The section of benchmarks.md about the soak, from what benches/soak/run has found."""

import json
import os

import svg

FILE = "benchmarks-soak.json"
WATCHED = {"init": "the wrapper", "groups": "the guard"}
FIGURES = {
    "rss": "resident memory, KiB",
    "pss": "of it alone (PSS), KiB",
    "anonymous": "of it heap and stack, KiB",
    "descriptors": "descriptors",
    "threads": "threads",
    "zombies": "zombies",
}


def of(folder):
    """The section, from what is there."""
    path = os.path.join(folder, FILE)
    if not os.path.exists(path):
        return "`benches/soak/run` has not run."
    with open(path, encoding="utf-8") as file:
        return section(json.load(file)).rstrip("\n")


def section(found):
    about, parts = found["about"], found["parts"]
    text = [
        f"`make soak`, {round(found['seconds'] / 60, 1):g} minutes from {about['began']} · commit {about['commit']} · Linux {about['kernel']} · "
        f"{about['processors']} processors, shared with other work, load average {about['load']} at the end · seed {found['seed']} · "
        + ("nothing failed" if not found["failures"] else f"**{len(found['failures'])} failures**"),
        "",
    ]
    if found["failures"]:
        text += ["What is said below holds but for this:", "", *(f"- {failure}" for failure in found["failures"]), ""]
    watched = {name: parts[name]["figures"] for name in WATCHED if parts.get(name, {}).get("figures")}
    if watched:
        text += ["![memory](pictures/bench-soak-memory.svg)", "", "![descriptors](pictures/bench-soak-descriptors.svg)", ""]
        text += table(watched)
    for name, words in (("init", init), ("pods", pods), ("groups", groups)):
        part = parts.get(name)
        # One that has failed may have come to less.
        if part and (name not in WATCHED or part.get("figures")):
            text += ["", *words(part)]
    return "\n".join([*text, ""])


def table(watched):
    yield "| | first third, median | last third, median | most | grows in an hour |"
    yield "|---|---:|---:|---:|---:|"
    for part, figures in watched.items():
        for key, words in FIGURES.items():
            if key == "zombies" and part != "init":
                continue
            one = figures[key]
            cells = [svg.number(one[name]) for name in ("first", "last", "most", "per_hour")]
            yield f"| {WATCHED[part]}: {words} | " + " | ".join(cells) + " |"


def init(part):
    first, last = part["cost_us"]
    yield (
        f"**One wrapper** {'as PID 1' if part['pid1'] else 'as an ordinary process'} reaped {svg.number(part['orphans'])} orphans "
        f"and forwarded {svg.number(part['signals'])} signals. {svg.number(part['single'])} were sent by themselves, and each was counted "
        f"exactly once. Of those in bursts {svg.number(part['merged'])} were not counted: "
        "the kernel merges a standard signal with a pending one of its kind. At least one of each kind came, and each real-time signal. "
        f"The slowest was counted by the command {svg.number(part['slowest_signal_ms'])} ms "
        f"after it was sent. Processor time for each signal or orphan: {svg.number(first)} µs in the first third, {svg.number(last)} µs in "
        f"the last. {part['zombies_twice'] or 'No'} zombie was there at two looks in succession. At the end TERM: exit code {part.get('exit_code')}, "
        "which is the command's, and the sidecar was asked once and is gone."
    )


def pods(part):
    ends, sidecars = {}, {}
    for end, sidecar, count in part["kinds"]:
        ends[end], sidecars[sidecar] = ends.get(end, 0) + count, sidecars.get(sidecar, 0) + count
    listed = lambda table: ", ".join(f"{name} {svg.number(count)}" for name, count in sorted(table.items(), key=lambda item: -item[1]))
    yield (
        f"**Whole lives**: {svg.number(part['lives'])}, {part['at_once']} at once, each with the exit code that is promised, the same "
        f"code in its report, and no process or file left behind. By the command's end: {listed(ends)}. By the sidecar: {listed(sidecars)}. "
        f"The slowest took {svg.number(part['slowest_s'])} s."
    )


def groups(part):
    yield (
        f"**Groups**: {svg.number(part['lives'])} lives of two to five mains with a folder of their own on a tmpfs, {svg.number(part['mains'])} "
        f"mains in all, and {svg.number(part['restarts'])} lives of three mains in one folder, which failed or were killed and were started "
        f"again. {svg.number(part['killed'])} mains were killed with their wrapper. Each other one had its own exit code, no sidecar was asked "
        f"before all mains were over, and none was forgotten where a guard or a main was left to ask it. A folder had {part['most_files']} files at most; "
        f"the largest had {part['largest_record']} bytes."
    )
