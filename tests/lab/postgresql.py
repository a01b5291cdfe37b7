"""A PostgreSQL of the lab: a cluster in memory, of this test run alone, on a loopback address of these namespaces.

Its databases sort text by the rules of a language, as most do; fsync is off. Debian's own cluster is left alone.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .processes import running, wait_for_ports

ADDRESS = "127.0.0.5"
USER = "postgres"
"""The administrator in the databases, and the user of Debian's package as whom the programs run."""
AS_USER = ("setpriv", "--reuid", USER, "--regid", USER, "--clear-groups")
LOCALE = ("--locale", "C.UTF-8", "--locale-provider", "icu", "--icu-locale", "en", "--encoding", "UTF8")


def programs() -> Path:
    """The folder with the newest server's programs."""
    return max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: float(folder.parent.name))


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """A running server; the beginning of its databases' URLs, behind which stands a name."""
    data, log = folder / "data", folder / "postgresql.log"
    data.mkdir(mode=0o700)
    subprocess.run(["chown", USER, data], check=True)
    made = [*AS_USER, programs() / "initdb", "--pgdata", data, "--auth", "trust", "--no-sync", *LOCALE]
    subprocess.run(made, check=True, capture_output=True, cwd="/")
    settings = {
        "listen_addresses": ADDRESS,
        "unix_socket_directories": "",
        "fsync": "off",
        "dynamic_shared_memory_type": "mmap",
    }
    words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    # In an IPC namespace of its own nothing of it stays in the machine's shared memory when it is killed.
    command = ["unshare", "--ipc", *AS_USER, programs() / "postgres", "-D", data, *words]
    with running(command, log) as child:
        wait_for_ports(child, [(ADDRESS, 5432)], log)
        yield f"postgresql://{USER}@{ADDRESS}/"


def sql(statement: str, database: str = "postgres") -> None:
    """Runs a statement as the administrator."""
    words = [
        "psql",
        "--no-psqlrc",
        "-qX",
        "-v",
        "ON_ERROR_STOP=1",
        "-h",
        ADDRESS,
        "-U",
        USER,
        "-c",
        statement,
        database,
    ]
    subprocess.run([programs() / words[0], *words[1:]], check=True, capture_output=True, cwd="/")


def new_database(server: str, name: str, words: str = "") -> str:
    """The URL of a new database, with these words behind CREATE DATABASE."""
    sql(f"CREATE DATABASE {name} {words}")
    return f"{server}{name}"
