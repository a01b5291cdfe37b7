"""The lab's own network and mounts (unshare): port 25 on any loopback address, and an /etc/resolv.conf of its own.

Nothing that is done here is seen outside, and nothing is left behind: addresses, mounts and files live in the
namespaces and end with them. Whoever is in the machine's own namespaces is refused.
"""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

COMMAND = "unshare --net --mount --propagation private python -m pytest -m lab tests/lab"


class NotApart(Exception):
    """We are not in namespaces of our own, so nothing may be changed."""


def require_own_namespaces() -> None:
    """Refuse unless an ancestor of this process lives in other namespaces and the network is loopback alone."""
    if not any(lives_elsewhere(ancestor) for ancestor in ancestors()):
        raise NotApart(f"the lab runs in namespaces of its own only: {COMMAND}")
    lines = Path("/proc/self/net/dev").read_text().splitlines()[2:]
    if {line.partition(":")[0].strip() for line in lines} != {"lo"}:
        raise NotApart(f"this network namespace has more than the loopback interface: {COMMAND}")


def lives_elsewhere(process: int) -> bool:
    """Whether both namespaces differ from ours; a process that may not be looked at proves nothing."""
    try:
        return all(
            Path(f"/proc/{process}/ns/{kind}").readlink() != Path(f"/proc/self/ns/{kind}").readlink()
            for kind in ("net", "mnt")
        )
    except OSError:
        return False


def ancestors() -> Iterator[int]:
    """The parent, its parent, and so on."""
    process = os.getppid()
    while process > 0:
        yield process
        try:
            status = Path(f"/proc/{process}/stat").read_text()
        except OSError:
            return
        process = int(status.rpartition(")")[2].split()[1])


def run(*command: str | Path) -> None:
    subprocess.run([str(part) for part in command], check=True, capture_output=True)


@contextmanager
def lab_folder() -> Iterator[Path]:
    """A folder in memory that servers without privileges may enter; it ends with the block, or with the namespace."""
    folder = Path(tempfile.mkdtemp(prefix="tlsaudit-lab-"))
    folder.chmod(0o755)
    run("mount", "-t", "tmpfs", "-o", "mode=755,size=1g", "tlsaudit-lab", folder)
    try:
        yield folder
    finally:
        run("umount", "--lazy", folder)
        folder.rmdir()


def bring_up(resolver: str, folder: Path) -> None:
    """Loopback up with all its addresses, and every program here asks the lab's resolver."""
    require_own_namespaces()
    run("ip", "link", "set", "lo", "up")
    resolv_conf = folder / "resolv.conf"
    resolv_conf.write_text(f"nameserver {resolver}\noptions timeout:5 attempts:2\n")
    run("mount", "--bind", resolv_conf, Path("/etc/resolv.conf").resolve())


def add_address(address: str) -> None:
    """One more address of the loopback interface; 127.0.0.0/8 is there already."""
    run("ip", "address", "add", f"{address}/128", "dev", "lo", "nodad")


def add_user(folder: Path, name: str) -> None:
    """A user and a group of this name, seen in these namespaces only; nothing where they exist."""
    entries = {"passwd": f"{name}:x:64999:64999::/nonexistent:/usr/sbin/nologin", "group": f"{name}:x:64999:"}
    for table, entry in entries.items():
        known = Path("/etc", table).read_text()
        if f"\n{name}:" not in known:
            (folder / table).write_text(f"{known}{entry}\n")
            run("mount", "--bind", folder / table, f"/etc/{table}")
