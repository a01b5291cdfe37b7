"""Starts the scripted server (odd_server.py) with all its states, as a child process."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .processes import running, wait_for_ports
from .states import Placed

PROGRAM = Path(__file__).with_name("odd_server.py")


@contextmanager
def odd_servers(folder: Path, states: list[Placed], certificates: Path) -> Iterator[Path]:
    """All scripted states, listening; the log that says which messages were taken, in clear or in TLS."""
    folder.mkdir()
    config, log = folder / "config.json", folder / "odd.log"
    config.write_text(json.dumps([described(each, certificates) for each in states]))
    with running([sys.executable, PROGRAM, config], log) as child:
        wait_for_ports(child, [(each.address, 25) for each in states], log)
        yield log


def described(placed: Placed, certificates: Path) -> dict[str, Any]:
    """A state in the words of odd_server.py."""
    state = placed.state
    script = {moment: list(pieces) for moment, pieces in state.script.items()}
    tls, limit = script.pop("tls", []), script.pop("limit", ["0"])
    return {
        "name": state.name,
        "address": placed.address,
        "script": script,
        "chain": str(certificates / state.domain / f"{state.chains[0]}.pem"),
        "tls": tls,
        "limit": int(limit[0]),
    }
