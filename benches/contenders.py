"""Who is measured: rows of a table."""

import os
import shlex
from dataclasses import dataclass, field

import setup
from setup import Missing, say


@dataclass
class Contender:
    name: str
    # The command line up to the wrapped command; other words where it is not PID 1.
    words: list
    plain_words: list = None
    version: str = ""
    # A C init that Debian ships: what ours is judged by.
    peer: bool = False
    # Passes every signal on. The floors do not, and neither does pid1-exe.
    forwards: bool = True
    # Debian's are dynamic or static, musl or glibc: that decides much.
    kind: str = ""
    size: int = field(init=False, default=0)

    def __post_init__(self):
        if self.words:
            self.size = os.stat(self.words[0]).st_size
        self.plain_words = self.plain_words or self.words


# package, program in it, arguments, arguments outside PID 1, how it is linked
DEBIAN = (
    ("tini", "usr/bin/tini-static", ["--"], ["-s", "--"], "C, glibc, static"),
    ("catatonit", "usr/bin/catatonit", ["--"], ["--"], "C, glibc, static"),
    ("tini", "usr/bin/tini", ["--"], ["-s", "--"], "C, glibc, dynamic"),
    ("dumb-init", "usr/bin/dumb-init", ["--"], ["--"], "C, glibc, dynamic"),
)
PLAIN = "lastout, plain build"
BARE, OURS, FLOOR_C, FLOOR_RUST = "(no wrapper)", "lastout", "floor in C", "floor in Rust"


def debian(cache, package, path, arguments, plain, kind):
    name = os.path.basename(path)
    try:
        folder, version = cache.package(package)
        program = os.path.join(folder, path)
    except Missing as error:
        program, version = setup.system_program(name), "as installed"
        say(f"{name}: {error}; taking {program}")
    return Contender(name, [program, *arguments], [program, *plain], version, peer=True, kind=kind)


def gather(cache, musl, extra):
    """All that can be had here; a line for each that cannot."""
    ours = cache.ours()
    rows = [
        Contender(BARE, []),
        Contender(OURS, [ours, "--"], version=setup.output(ours, "--version").split()[-1], kind="Rust, musl, static"),
    ]
    makers = [lambda row=row: debian(cache, *row) for row in DEBIAN]
    makers.append(lambda: pid1_exe(cache))
    if musl:
        floor = lambda: Contender(FLOOR_C, [cache.compile("floor", musl)], forwards=False, kind="C, musl, static")
        makers.append(floor)
    makers.append(lambda: Contender(FLOOR_RUST, [cache.floor_rust()], forwards=False, kind="Rust, musl, static"))
    for make in makers:
        try:
            rows.append(make())
        except Missing as error:
            say(f"left out: {error}")
    for text in extra:
        name, _, command = text.partition("=")
        rows.append(Contender(name, shlex.split(command), kind="by --with"))
    return rows


def pid1_exe(cache):
    kind = "Rust, musl, static"
    return Contender("pid1-exe", [cache.pid1_exe(), "--"], version=setup.PID1_EXE, forwards=False, kind=kind)


def write(rows, path, words=lambda row: row.words):
    """The table as the measuring programs read it."""
    with open(path, "w", encoding="utf-8") as file:
        for row in rows:
            file.write("\t".join(words(row)) + "\n")
    return path
