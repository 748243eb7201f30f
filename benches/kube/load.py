"""Admissions at full speed or at a fixed rate: oha, over connections that stay, in HTTP/1.1, as API servers send them.

At a fixed rate latency counts from the moment at which an admission was due, whether or not a connection was free: a
server that falls behind is not asked less.
"""

import json
from dataclasses import dataclass

import setup
from setup import Missing

CONNECTIONS = 32


@dataclass
class Found:
    admissions: int
    per_second: float
    # ms
    median: float
    p99: float
    # Bytes of an answer, on average.
    size: float


def run(oha, ports, bodies, seconds, rate=None):
    """`bodies`: a file with one in each line. Each connection goes to one of the ports, by chance, as with kube-proxy."""
    [first, *_] = ports
    words = ["--no-tui", "--output-format", "json", "-w", "-z", f"{seconds}s", "-c", str(CONNECTIONS), "--insecure"]
    words += ["--http-version", "1.1", "-m", "POST", "-T", "application/json", "--disable-compression", "-Z", bodies]
    if rate:
        words += ["-q", str(rate), "--latency-correction"]
    for port in ports if len(ports) > 1 else ():
        words += ["--connect-to", f"127.0.0.1:{first}:127.0.0.1:{port}"]
    told = json.loads(setup.output(oha, *words, f"https://127.0.0.1:{first}/mutate?timeout=10s"))
    answered = told["statusCodeDistribution"]
    if told["errorDistribution"] or set(answered) != {"200"}:
        raise Missing(f"port {first}: not all was answered: {answered} {told['errorDistribution']}")
    summary, percentiles = told["summary"], told["latencyPercentiles"]
    return Found(
        admissions=answered["200"],
        per_second=summary["requestsPerSec"],
        median=percentiles["p50"] * 1000,
        p99=percentiles["p99"] * 1000,
        size=summary["totalData"] / answered["200"],
    )
