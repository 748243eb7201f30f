"""Everything that a run needs, set up once, outside the checkout: the contenders and the measuring programs.

Nothing is installed into the system, and an ordinary user can run it: Debian's packages are unpacked, not installed.
"""

import glob
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
HELPERS = os.path.join(HERE, "helpers")
PID1_EXE = "0.1.6"
C_FLAGS = ["-O2", "-s", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function"]
# Without a C library: nothing of it may be called behind our back.
BARE_FLAGS = ["-nostdlib", "-nostartfiles", "-static", "-fno-pie", "-no-pie", "-fno-stack-protector", "-fno-builtin"]


class Missing(Exception):
    """Something cannot be had here; the text says what, and how to get it."""


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def output(*command, **options):
    """-> what it printed, or Missing with the end of its complaint."""
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    except OSError as error:
        raise Missing(f"{command[0]}: {error.strerror}") from None
    if result.returncode != 0:
        raise Missing(f"{' '.join(command[:3])} failed: {(result.stderr or result.stdout).strip()[-400:]}")
    return result.stdout.strip()


class Cache:
    """The folder, and what is in it. Each piece is made once: its name holds what it was made from."""

    def __init__(self):
        self.sidecars = output(os.path.join(ROOT, "scripts", "sidecars"), "dir")
        self.folder = os.path.join(os.path.dirname(self.sidecars), "bench")
        os.makedirs(self.folder, exist_ok=True)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def make(self, name, recipe, what):
        """The path of `name`; made by recipe(temporary path) if it is not there yet."""
        path = self.path(name)
        if not os.path.exists(path):
            started = time.monotonic()
            draft = f"{path}.{os.getpid()}.tmp"
            try:
                recipe(draft)
                os.rename(draft, path)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
                if os.path.isfile(draft):
                    os.unlink(draft)
            say(f"{what}: {time.monotonic() - started:.1f} s, in {self.folder}")
        return path

    # --- Debian's packages ---------------------------------------------------------------------------

    def package(self, name):
        """-> the folder in which this package is unpacked, its version."""

        def fetch(draft):
            os.makedirs(draft)
            options = ["-o", "APT::Sandbox::User=root"] if os.geteuid() == 0 else []
            try:
                output("apt-get", *options, "download", name, cwd=draft)
            except Missing:
                if os.geteuid() != 0:
                    raise
                say("package lists are missing or old: apt-get update")
                output("apt-get", "update")
                output("apt-get", *options, "download", name, cwd=draft)
            [archive] = glob.glob(os.path.join(draft, "*.deb"))
            version = output("dpkg-deb", "-f", archive, "Version")
            output("dpkg-deb", "-x", archive, draft)
            os.unlink(archive)
            with open(os.path.join(draft, "version"), "w", encoding="utf-8") as file:
                file.write(version)

        folder = self.make(f"deb-{name}", fetch, f"Debian's {name} unpacked")
        with open(os.path.join(folder, "version"), encoding="utf-8") as file:
            return folder, file.read()

    # --- programs of our own --------------------------------------------------------------------------

    def compile(self, name, musl):
        """A static C program of helpers/."""
        flags = C_FLAGS + (BARE_FLAGS if name == "stamp" else [])
        digest = hashlib.sha256(repr((flags, bool(musl))).encode())
        for path in sorted(glob.glob(os.path.join(HELPERS, "*.h"))) + [os.path.join(HELPERS, f"{name}.c")]:
            with open(path, "rb") as file:
                digest.update(file.read())
        source = os.path.join(HELPERS, f"{name}.c")

        def build(draft):
            if name == "stamp":
                output("cc", *flags, "-o", draft, source)
            elif musl:
                include, lib = musl
                crt = [os.path.join(lib, part) for part in ("crt1.o", "crti.o")]
                libgcc = output("cc", "-print-libgcc-file-name")
                rest = [source, os.path.join(lib, "libc.a"), libgcc, os.path.join(lib, "crtn.o")]
                static = ["-nostdinc", "-isystem", include, "-nostdlib", "-static", "-fno-pie", "-no-pie"]
                output("cc", *flags, "-fno-stack-protector", *static, "-o", draft, *crt, *rest)
            else:
                output("cc", *flags, "-static", "-o", draft, source)

        return self.make(f"{name}-{digest.hexdigest()[:12]}", build, f"{name}.c compiled")

    def musl(self):
        """-> musl's headers and libraries for C, or None."""
        try:
            folder, _ = self.package("musl-dev")
            [include] = glob.glob(os.path.join(folder, "usr/include/*-linux-musl"))
            [lib] = glob.glob(os.path.join(folder, "usr/lib/*-linux-musl"))
            return include, lib
        except (Missing, ValueError) as error:
            say(f"no musl for C ({error}): the measuring programs get glibc, and there is no floor in C")
            return None

    def floor_rust(self):
        source = os.path.join(HELPERS, "floor.rs")
        with open(source, "rb") as file:
            digest = hashlib.sha256(file.read() + output("rustc", "-V").encode()).hexdigest()[:12]
        flags = ["-C", "panic=abort", "-C", "lto=fat", "-C", "strip=symbols", "-C", "relocation-model=static"]

        def build(draft):
            output("rustc", "-O", "--edition", "2024", *flags, "--target", triple(), "-o", draft, source)

        return self.make(f"floor-rust-{digest}", build, "floor.rs compiled")

    def pid1_exe(self):
        def build(draft):
            options = ["--version", PID1_EXE, "--locked", "--target", triple(), "--root", draft]
            say(f"building the crate pid1-exe {PID1_EXE}…")
            output("cargo", "install", "pid1-exe", *options)

        return os.path.join(self.make(f"pid1-exe-{PID1_EXE}", build, f"pid1-exe {PID1_EXE} built"), "bin", "pid1")

    def ours(self):
        """-> our binary as it ships, as a file that no other process has mapped: pages are counted."""
        binary = os.environ.get("LASTOUT_BIN") or self.shipped()
        copy = self.path(f"lastout-{os.getpid()}")
        shutil.copy2(binary, copy)
        return copy

    def shipped(self):
        arch, folder = platform.machine(), self.path("shipped")
        output(os.path.join(ROOT, "scripts", "binaries"), folder, arch)
        return os.path.join(folder, arch, "lastout")

    def envoy(self):
        command = [os.path.join(ROOT, "scripts", "sidecars"), "envoy"]
        if subprocess.run(command, check=False).returncode != 0:
            raise Missing("no Envoy (its lines are above)")
        return os.path.join(self.sidecars, "envoy")


def plain_build():
    """-> our binary as `cargo build --release` makes it."""
    return output(os.path.join(ROOT, "scripts", "build"))


def triple():
    return f"{platform.machine()}-unknown-linux-musl"


def system_program(name):
    path = shutil.which(name)
    if not path:
        raise Missing(f"neither a Debian package nor a program called {name}")
    return path
