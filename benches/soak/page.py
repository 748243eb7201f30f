"""What the soak has found → benchmarks-soak.json, pictures, and the section of benchmarks.md where that is there."""

import json
import os
import re

import report
import soaked
import svg

PLACE = re.compile(r"(?<=<!-- soak: written by benches/soak/run -->\n).*?(?=<!-- end of soak -->)", re.DOTALL)
# Points of a line.
POINTS = 240
PICTURES = (
    ("memory", "Memory of a wrapper and of a guard, for a long time", "KiB", {"rss": "resident", "anonymous": "heap and stack"}),
    ("descriptors", "Descriptors of both, zombies of the wrapper", "number", {"descriptors": "descriptors", "zombies": "zombies"}),
)


def write(folder, found):
    os.makedirs(os.path.join(folder, "pictures"), exist_ok=True)
    samples = {name: part.pop("samples") for name, part in found["parts"].items() if part.get("samples")}
    report.save(os.path.join(folder, soaked.FILE), json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    for name, title, unit, keys in PICTURES:
        if series := list(lines(samples, keys)):
            report.save(os.path.join(folder, "pictures", f"bench-soak-{name}.svg"), svg.lines(title, unit, "minutes", series))
    path = os.path.join(folder, "benchmarks.md")
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        report.save(path, PLACE.sub(lambda _: soaked.section(found), text))
    print(soaked.section(found))


def lines(samples, keys):
    colours = iter(("ours", "peer", "other", "floor"))
    for part, several in samples.items():
        few = several[:: max(1, len(several) // POINTS)]
        for key, word in keys.items():
            if key == "zombies" and part != "init":
                continue
            yield f"{soaked.WATCHED[part]}, {word}", next(colours), [(one["at"] / 60, one[key]) for one in few]
