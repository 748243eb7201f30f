"""What the figures are called, which belong into one table, and what was promised of them."""

from dataclasses import dataclass

from contenders import OURS, PLAIN
from sidecars import ACCEPTED, HELPER, VERIFY


@dataclass
class Column:
    key: str
    title: str
    # Less what the command takes without any wrapper.
    added: bool = False


TABLES = {
    "start": (
        Column("start_pid1", "adds as PID 1, µs", added=True),
        Column("start_plain", "adds as an ordinary process, µs", added=True),
        Column("start_pid1_free", "adds as PID 1, on both processors, µs", added=True),
        Column("faults_pid1", "page faults", added=True),
    ),
    "leave": (
        Column("leave_pid1", "command's last act → wrapper gone, µs"),
        Column("leave_pid1_free", "the same, on both processors, µs"),
        Column("term_gone", "TERM → command and wrapper gone, µs"),
    ),
    "signals": (
        Column("signal", "USR1 → command's handler, µs"),
        Column("term_arrives", "TERM, as the first signal → command's handler, µs"),
        Column("loss", "a TERM is lost for, µs"),
    ),
    "zombies": (
        Column("zombie_trickle", "one by one: CPU for each, µs"),
        Column("lag_trickle", "stays a zombie, µs"),
        Column("zombie_burst", "200 at once: CPU for each, µs"),
        Column("lag_burst", "last one's end → all reaped, µs"),
    ),
    "idle": (
        Column("pss", "PSS, KiB"),
        Column("uss", "USS, KiB"),
        Column("page_tables", "page tables, KiB"),
        Column("threads", "threads"),
        Column("descriptors", "descriptors"),
        Column("wakeups", "wake-ups"),
        Column("size", "size, bytes"),
    ),
    "fake": (
        Column("gate", "ready → command began, µs"),
        Column("ask", "command's last act → request at the sidecar, µs"),
        Column("asked_gone", "last act → wrapper gone, µs"),
        Column("refused_gone", "port refuses → wrapper gone, µs"),
    ),
    "envoy": (
        Column("envoy_gate", "ready → command began, ms"),
        Column("envoy_gone", "command's last act → Envoy gone, ms"),
        Column("envoy_left", "last act → wrapper gone, ms"),
        Column("envoy_refused_left", "port refuses → wrapper gone, ms"),
    ),
}

# name of the file, table's column, title, unit
PICTURES = (
    ("start", "start_pid1", "What a wrapper adds to the start of a container", "µs, as PID 1"),
    ("leave", "leave_pid1", "The command's last act → the container is over", "µs"),
    ("signal", "signal", "A signal on its way to the command", "µs"),
    ("loss", "loss", "Time after the start during which a TERM is lost", "µs"),
    ("zombie", "zombie_trickle", "Processor time for each reaped orphan", "µs"),
    ("memory", "pss", "Memory while the command runs", "KiB, proportional set size"),
    ("ask", "ask", "The command's last act → the quit request is at the sidecar", "µs"),
    ("envoy", "envoy_gone", "The command's last act → a real Envoy is gone", "ms"),
)


@dataclass
class Promise:
    """A limit on ours: as a share of somebody's figure, as that figure and so much more, or as it is."""

    text: str
    key: str
    limit: float
    # "best" is the best C init that Debian ships.
    against: str = None
    plus: bool = False
    added: bool = False
    row: str = OURS
    aim: float = None


PROMISES = (
    Promise("added to the start, as PID 1, µs", "start_pid1", 0.35, "tini-static", added=True, aim=0.2),
    Promise("command's last act → wrapper gone, µs", "leave_pid1", 1.0, "best"),
    Promise("idle memory (PSS), KiB", "pss", 0.6, "tini-static", aim=0.2),
    Promise("wake-ups while idle, in 30 s", "wakeups", 0),
    Promise("CPU for each orphan, one by one, µs", "zombie_trickle", 1.0, "best"),
    Promise("CPU for each orphan, at once, µs", "zombie_burst", 1.0, "best"),
    Promise("USR1 → command's handler, µs", "signal", 1.05, "best"),
    Promise("size of a release's binary, bytes", "size", 1 << 20, aim=708_080),
    Promise("size by `cargo build --release`, bytes", "size", 1 << 20, row=PLAIN),
    Promise("command's last act → quit request at the sidecar, µs", "ask", 500, HELPER, plus=True, row=VERIFY),
    Promise("the same without the proof, µs", "ask", 500, HELPER, plus=True, row=ACCEPTED),
    Promise("sidecar's port refuses → wrapper gone, µs", "refused_gone", 1000, row=VERIFY),
    Promise("real Envoy ready → command began, ms", "envoy_gate", 10, row=VERIFY),
)
