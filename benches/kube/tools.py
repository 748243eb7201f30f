"""The programs that are measured, each built once, when it is first asked for, into the cache of benches/."""

import functools
import hashlib
import json
import os

import setup
from setup import ROOT, say

CONFTEST, OHA = "0.71.1", "1.16.0"
HERE = os.path.dirname(os.path.abspath(__file__))
# Go programs of our own.
ROUNDTRIP, CONTROLLER_RUNTIME = "roundtrip", "controller-runtime"
RULE = os.path.join(HERE, "plain-sidecar.rego")
PLUGIN = "kubectl-lastout"
# As their releases are built: static, no paths.
GO = {"CGO_ENABLED": "0", "GOFLAGS": "-trimpath -buildvcs=false"}


class Programs:
    def __init__(self, cache, levels):
        self.cache = cache
        self.ours = os.environ.get("KUBECTL_LASTOUT_BIN") or plugin()
        # Ours, at other opt-levels.
        self.levels = {level: plugin(level, cache) for level in levels}

    @functools.cached_property
    def conftest(self):
        return conftest(self.cache)

    @functools.cached_property
    def roundtrip(self):
        return go_program(self.cache, ROUNDTRIP)

    @functools.cached_property
    def controller_runtime(self):
        return go_program(self.cache, CONTROLLER_RUNTIME)

    @functools.cached_property
    def oha(self):
        return oha(self.cache)

    @functools.cached_property
    def usage(self):
        return self.cache.compile("usage", self.cache.musl())


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


def oha(cache):
    def build(draft):
        say(f"building oha {OHA}: some minutes…")
        setup.output("cargo", "install", "oha", "--version", OHA, "--locked", "--root", draft)

    return os.path.join(cache.make(f"oha-{OHA}", build, f"oha {OHA} built"), "bin", "oha")


def go_program(cache, name):
    folder = os.path.join(HERE, name)
    digest = hashlib.sha256(setup.output("go", "version").encode())
    for file_name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, file_name), "rb") as file:
            digest.update(file.read())

    def build(draft):
        say(f"building {name}…")
        words = ["go", "build", "-ldflags", "-s -w", "-o", draft, "."]
        setup.output(*words, cwd=folder, env={**os.environ, **GO})

    return cache.make(f"{name}-{digest.hexdigest()[:12]}", build, f"{name} built")


def versions(name):
    """-> the modules that a Go program of ours is built on."""
    with open(os.path.join(HERE, name, "go.mod"), encoding="utf-8") as file:
        required = [line.split() for line in file if line.startswith("\t") and "indirect" not in line]
    return {name.rpartition("/")[2].replace("-", "_"): version.removeprefix("v") for name, version in required}
