"""Installs what the lab needs on Debian, as root: `python -m tests.lab.install`; with --check it only tells.

--check prints what is missing and the command that installs it, and ends with 1 where the lab cannot run at all;
without Exim it runs, with fewer states.

A machine that is somebody's must come to no harm: nothing is installed when apt would remove a package, no service is
started or stopped (policy-rc.d answers "forbidden" meanwhile, and new ones are not enabled), and Exim, which conflicts
with Postfix, is unpacked into a cache folder and never installed.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .exim_servers import CACHE, PROGRAM, exim_starts

PROGRAMS = {
    "/usr/lib/postfix/sbin/master": "postfix",
    "/usr/lib/postfix/postfix-pcre.so": "postfix-pcre",
    "/usr/lib/postfix/postfix-lmdb.so": "postfix-lmdb",
    "/usr/bin/openssl": "openssl",
    "/usr/bin/gnutls-serv": "gnutls-bin",
    "/usr/sbin/nsd": "nsd",
    "/usr/sbin/unbound": "unbound",
    "/usr/bin/ldns-signzone": "ldnsutils",
    "/usr/bin/ip": "iproute2",
    "/usr/bin/setpriv": "util-linux",
    "/usr/bin/unshare": "util-linux",
    "/usr/bin/mount": "mount",
    "/usr/bin/chromium": "chromium",
    "/usr/bin/chromedriver": "chromium-driver",
    "/usr/lib/postgresql/*/bin/postgres": "postgresql",
}
"""A program of each Debian package that the lab runs; a star stands for a version."""
EXIM = "exim4-daemon-heavy"
COMMAND = "python -m tests.lab.install"
POLICY = Path("/usr/sbin/policy-rc.d")
QUIET = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "DEBIAN_PRIORITY": "critical", "SYSTEMD_OFFLINE": "1"}


class Refused(Exception):
    """Going on would harm the machine; the message says how."""


def missing_packages() -> list[str]:
    """Debian packages whose programs are not here, without Exim."""
    return sorted({package for program, package in PROGRAMS.items() if not any(Path("/").glob(program[1:]))})


def missing() -> list[str]:
    """All that is not here, Exim included."""
    return [*missing_packages(), *([] if exim_starts() else [f"{EXIM} (unpacked into {CACHE})"])]


def apt(*words: str) -> str:
    """Run apt-get; its output."""
    done = subprocess.run(["apt-get", *words], env=QUIET, cwd="/", capture_output=True, text=True, check=False)
    if done.returncode:
        raise Refused(f"apt-get {' '.join(words)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def planned(verb: str, *words: str) -> list[str]:
    """The packages that apt would install ("Inst") or remove ("Remv")."""
    return [line.split()[1] for line in apt("-s", *words).splitlines() if line.startswith(f"{verb} ")]


@contextmanager
def services_forbidden() -> Iterator[None]:
    """No package script starts or stops a service inside; what stood in policy-rc.d stands there again afterwards."""
    kept = POLICY.with_name("policy-rc.d.tlsaudit-kept")
    existed = POLICY.exists() or POLICY.is_symlink()
    if existed:
        POLICY.rename(kept)
    try:
        POLICY.write_text("#!/bin/sh\nexit 101\n")
        POLICY.chmod(0o755)
        yield
    finally:
        POLICY.unlink(missing_ok=True)
        if existed:
            kept.rename(POLICY)


def install_packages(packages: list[str]) -> None:
    """Install, unless anything would have to go for it. Postfix gets no configuration of its own."""
    words = ["--no-install-recommends", "install", *packages]
    if removed := planned("Remv", *words):
        raise Refused(f"not installed: apt would remove {', '.join(removed)} for {', '.join(packages)}")
    choice = "postfix postfix/main_mailer_type select No configuration\n"
    if "postfix" in packages:
        subprocess.run(["debconf-set-selections"], input=choice, text=True, check=True)
    with services_forbidden():
        apt("-y", "-o", "Dpkg::Options::=--force-confold", *words)
        for unit in {"postfix", "nsd", "unbound", "postgresql"} & set(packages):
            if shutil.which("systemctl"):
                subprocess.run(["systemctl", "disable", unit], capture_output=True, check=False)


def unpack_exim() -> None:
    """Fetch Exim and those of its libraries that are not here, and unpack them without running any script."""
    wanted = [name for name in planned("Inst", "--no-install-recommends", "install", EXIM) if name.startswith("lib")]
    archives, root = CACHE / "archives", CACHE / "root"
    shutil.rmtree(archives, ignore_errors=True)
    archives.mkdir(parents=True)
    done = subprocess.run(
        ["apt-get", "download", EXIM, *wanted], cwd=archives, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Refused(f"Exim was not fetched:\n{done.stderr[-2000:]}")
    for archive in archives.glob("*.deb"):
        subprocess.run(["dpkg", "-x", archive, root], check=True)
    PROGRAM.chmod(0o755)  # it comes setuid root, and nobody but the lab shall run it
    shutil.rmtree(archives)


def main() -> int:
    lacking = missing()
    if not lacking:
        return 0
    if "--check" in sys.argv[1:]:
        print(f"missing: {', '.join(lacking)}; to install (as root, on Debian): {COMMAND}")
        return 1 if missing_packages() else 0
    try:
        apt("update")
        if packages := missing_packages():
            install_packages(packages)
        if not exim_starts():
            unpack_exim()
    except Refused as why:
        print(why, file=sys.stderr)
        return 1
    if still := missing():
        print(f"still missing: {', '.join(still)}", file=sys.stderr)
    return 1 if missing() else 0


if __name__ == "__main__":
    sys.exit(main())
