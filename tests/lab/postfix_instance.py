"""One Postfix that lives in a folder: its own configuration, queue and log, nothing of the machine's Postfix."""

import grp
import os
import pwd
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from .processes import running, wait_for_ports

MASTER = "/usr/lib/postfix/sbin/master"
QUEUES = ("incoming", "active", "deferred", "corrupt", "hold", "bounce", "defer", "flush", "trace", "saved", "private")
SERVICES = """\
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""
"""What Postfix needs beside the services that are under test; all without chroot, because the folder is elsewhere."""


def service(kind: str, command: str, options: Mapping[str, str], processes: str = "-") -> str:
    """One entry of master.cf after its name; values may hold blanks."""
    overrides = "".join(f"\n  -o {{ {name} = {value} }}" for name, value in options.items())
    return f"{kind} - n - {processes} {command}{overrides}\n"


def lay_out(folder: Path, main: Mapping[str, str], services: Sequence[str]) -> Path:
    """Write the configuration and the queue directories; return the log file."""
    owner, group = pwd.getpwnam("postfix").pw_uid, grp.getgrnam("postdrop").gr_gid
    conf, queue, data, log = (folder / name for name in ("conf", "queue", "data", "maillog"))
    for directory in (folder, conf, queue, data):
        directory.mkdir()
    for name in (*QUEUES, "maildrop", "public", "pid"):
        (queue / name).mkdir(mode=0o700)
        os.chown(queue / name, 0 if name == "pid" else owner, group if name in ("maildrop", "public") else -1)
    (queue / "maildrop").chmod(0o730)
    (queue / "public").chmod(0o710)
    os.chown(data, owner, -1)
    settings = {
        "compatibility_level": "3.6",
        "queue_directory": queue,
        "data_directory": data,
        "maillog_file": log,
        "maillog_file_prefixes": folder,
        "alias_maps": "",
        "alias_database": "",
        "inet_interfaces": "all",
        **main,
    }
    (conf / "main.cf").write_text("".join(f"{name} = {value}\n" for name, value in settings.items()))
    (conf / "master.cf").write_text(SERVICES + "".join(services))
    return log


@contextmanager
def postfix(folder: Path, listeners: Sequence[tuple[str, int]]) -> Iterator[None]:
    """Run what `lay_out` wrote, from the moment when all listeners are there."""
    log = folder / "master.log"
    with running([MASTER, "-d", "-c", folder / "conf"], log) as master:
        wait_for_ports(master, listeners, log, folder / "maillog")
        yield
