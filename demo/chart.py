"""Draws what happened in a pod on a common time axis, in 100 columns of text."""

NAME, WIDTH = 17, 66
STARTING, UP, ENDING = "░█▒"
LEGEND = f"{STARTING} starting, waiting   {UP} up, running   {ENDING} asked to quit, stopping"


def seconds(value):
    return "-" if value is None else f"{value:.3f}"


def axis(total):
    """-> the label line and the tick line."""
    step = next((s for s in (0.1, 0.2, 0.5, 1, 2, 5, 10) if total / s <= 8), 20)
    labels, ticks = [" "] * (WIDTH + 8), ["─"] * WIDTH
    for i in range(int(total / step) + 1):
        at = int(i * step / total * WIDTH)
        if at < WIDTH:
            ticks[at] = "┬"
            label = f"{i * step:g} s"
            labels[at : at + len(label)] = label
    return "".join(labels).rstrip(), "".join(ticks)


def bar(spans, total):
    """`spans`: (start, end, glyph) in seconds; unknown ones (None) are left out, the shortest takes a cell."""
    cells = [" "] * WIDTH
    for start, end, glyph in spans:
        if start is None or end is None or end < start:
            continue
        first = min(int(start / total * WIDTH), WIDTH - 1)
        last = max(first + 1, round(end / total * WIDTH))
        cells[first:last] = glyph * (min(last, WIDTH) - first)
    return "".join(cells)


def draw(rows, total, mark=None):
    """`rows`: (name, spans, remark). `mark`: (seconds, word) is pointed at from below."""
    labels, ticks = axis(total)
    lines = [" " * NAME + labels, " " * NAME + ticks]
    lines += [f"{name:{NAME}}{bar(spans, total)}  {remark}".rstrip() for name, spans, remark in rows]
    if mark:
        at = int(mark[0] / total * WIDTH)
        lines.append(" " * (NAME + at) + "^ " + mark[1])
    return lines


def table(header, rows):
    """The same in numbers."""
    return [
        f"{row[0]:{NAME}}"
        + "".join(f"{cell:>10}" for cell in row[1:6])
        + "".join(f"  {cell}" for cell in row[6:])
        for row in [header, *rows]
    ]


def timeline(facts, report, sidecars):
    """Lines: the chart, and the same in numbers, in seconds since the pod's start.

    `facts` is what pod.py saw from outside, `report` what lastout says of itself (--report, in milliseconds
    since its own start). What is missing is a dash.
    """
    started, ended, codes = facts["started"], facts["ended"], facts["codes"]
    zero, total = started["lastout"], facts["over"]

    def told(part, key):
        value = (part or {}).get(key)
        return None if value is None else zero + value / 1000

    main = report.get("main")
    begin, over, end = told(main, "started_ms"), told(main, "ended_ms"), ended.get("lastout")
    code = str(codes.get("lastout", "-"))
    spans = [(zero, begin or end, STARTING), (begin, over or end, UP), (over, end, ENDING)]
    rows = [("lastout", spans, f"exit {code}"), ("  the job", [(begin, over, UP)], "")]
    wrapper = ["lastout", *map(seconds, (zero, begin, over, end)), code]
    numbers = []
    for name in sidecars:
        story = next((s for s in report.get("sidecars", []) if s.get("name") == name), {})
        start, ready, asked, end = (
            started[name],
            told(story, "ready_ms"),
            told(story, "asked_ms"),
            ended.get(name),
        )
        spans = [
            (start, ready or asked or end or total, STARTING),
            (ready, asked or end or total, UP),
            (asked, end or total, ENDING),
        ]
        rows.append((name, spans, f"exit {codes[name]}" if name in codes else "still there"))
        code = str(codes.get(name, "-"))
        numbers.append([name, *map(seconds, (start, ready, asked, end)), code, story.get("verdict") or "-"])
    mark = (facts["signalled"], "SIGTERM") if facts["signalled"] else None
    return [
        "",
        *draw(rows, total, mark),
        " " * NAME + LEGEND,
        "",
        *table(["seconds", "start", "job runs", "job over", "end", "exit"], [wrapper]),
        *table(["", "start", "ready", "asked", "gone", "exit", "verdict"], numbers),
    ]
