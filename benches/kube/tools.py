"""The programs that are measured, built once into the cache of benches/."""

import hashlib
import json
import os
from dataclasses import dataclass

import setup
from setup import ROOT, say

CONFTEST = "0.71.1"
HERE = os.path.dirname(os.path.abspath(__file__))
ROUNDTRIP = os.path.join(HERE, "roundtrip")
RULE = os.path.join(HERE, "plain-sidecar.rego")
PLUGIN = "kubectl-lastout"
# As their releases are built: static, no paths.
GO = {"CGO_ENABLED": "0", "GOFLAGS": "-trimpath -buildvcs=false"}


@dataclass
class Programs:
    ours: str
    conftest: str
    roundtrip: str
    usage: str
    # Ours, at other opt-levels.
    levels: dict


def gather(cache, levels):
    return Programs(
        ours=os.environ.get("KUBECTL_LASTOUT_BIN") or plugin(),
        conftest=conftest(cache),
        roundtrip=roundtrip(cache),
        usage=cache.compile("usage", cache.musl()),
        levels={level: plugin(level, cache) for level in levels},
    )


def plugin(level=None, cache=None):
    """-> our plugin, as its profile says; or at another opt-level, beside it."""
    environment = dict(os.environ)
    words = ["cargo", "build", "--profile", "plugin", "-p", PLUGIN, "--bin", PLUGIN, "--target", setup.triple()]
    if level:
        environment["CARGO_PROFILE_PLUGIN_OPT_LEVEL"] = level
        words += ["--target-dir", cache.path(f"plugin-{level}")]
    say(f"building {PLUGIN}" + (f" with opt-level {level}…" if level else "…"))
    told = setup.output(*words, "--message-format", "json-render-diagnostics", cwd=ROOT, env=environment)
    built = [json.loads(line).get("executable") for line in told.splitlines()]
    return next(path for path in reversed(built) if path)


def conftest(cache):
    def build(draft):
        say(f"building conftest {CONFTEST}: some minutes…")
        module = f"github.com/open-policy-agent/conftest@v{CONFTEST}"
        words = ["go", "install", "-ldflags", "-s -w", module]
        setup.output(*words, env={**os.environ, **GO, "GOBIN": draft})

    return os.path.join(cache.make(f"conftest-{CONFTEST}", build, f"conftest {CONFTEST} built"), "conftest")


def roundtrip(cache):
    digest = hashlib.sha256(setup.output("go", "version").encode())
    for name in ("main.go", "go.mod", "go.sum"):
        with open(os.path.join(ROUNDTRIP, name), "rb") as file:
            digest.update(file.read())

    def build(draft):
        words = ["go", "build", "-ldflags", "-s -w", "-o", draft, "."]
        setup.output(*words, cwd=ROUNDTRIP, env={**os.environ, **GO})

    return cache.make(f"roundtrip-{digest.hexdigest()[:12]}", build, "the Go program built")


def versions():
    """-> what the round trip is built on."""
    with open(os.path.join(ROUNDTRIP, "go.mod"), encoding="utf-8") as file:
        required = [line.split() for line in file if line.startswith("\t") and "indirect" not in line]
    return {name.rpartition("/")[2]: version.removeprefix("v") for name, version in required}
