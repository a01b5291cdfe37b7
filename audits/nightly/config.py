"""The words of a nightly configuration: what each table and key means."""

from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec


class Mistake(msgspec.Struct, frozen=True):
    """One thing that is wrong with the file."""

    file: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}"


class ConfigError(Exception):
    """The file cannot be used; `mistakes` has all that was found."""

    def __init__(self, mistakes: tuple[Mistake, ...]) -> None:
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = mistakes


class When(StrEnum):
    """What is a reason to tell somebody."""

    CHANGE = "change"
    GATE = "gate"
    ALWAYS = "always"


class Security(StrEnum):
    """How the mail server is spoken to: STARTTLS demanded, TLS from the first byte, or neither."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class Judging(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """`[judge]`."""

    baseline: tuple[str, ...] = ()
    baseline_file: tuple[str, ...] = ()
    waivers: str = ""
    fail_on: tuple[str, ...] = ()


class Reporting(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """`[report]`: files; "{run}" in a name becomes the run's."""

    html: str = ""
    csv: str = ""
    markdown: str = ""
    jsonl: str = ""
    metrics: str = ""


class Comparing(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """`[diff]`: the least severity that counts as a change, and the runs looked back for an answer."""

    severity: str = "notice"
    window: int = 3


class Keeping(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """`[keep]`: how many days runs are kept, and how many of the newest always; 0 days keeps all."""

    days: int = 0
    runs: int = 4


class Mailing(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """`[mail]`: a message by SMTP."""

    server: str
    to: tuple[str, ...]
    sender: str
    port: int = 587
    security: Security = Security.STARTTLS
    cafile: str = ""
    user: str = ""
    password_file: str = ""
    on: tuple[When, ...] = (When.CHANGE, When.GATE)


class Calling(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """`[webhook]`: a POST of JSON. The file of `token_file` holds a bearer token."""

    url: str
    cafile: str = ""
    token_file: str = ""
    on: tuple[When, ...] = (When.CHANGE, When.GATE)


class NightConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """The whole file."""

    lists: tuple[str, ...]
    store: str = "tlsaudit.db"
    log: str = ""
    log_json: bool = False
    scan: dict[str, Any] = {}
    judge: Judging = Judging()
    report: Reporting = Reporting()
    diff: Comparing = Comparing()
    keep: Keeping = Keeping()
    mail: Mailing | None = None
    webhook: Calling | None = None


class Night(msgspec.Struct, frozen=True):
    """A checked file: its words, its folder, the parameters of the scan as `tlsaudit scan` would have them, itself."""

    config: NightConfig
    folder: Path
    scan: dict[str, Any]
    file: Path = Path()

    def path(self, name: str, run: str = "") -> Path:
        """A path of the file, from its folder; "{run}" becomes the name of the run."""
        path = Path(name.replace("{run}", run))
        try:
            return self.folder / path.expanduser()
        except RuntimeError:  # "~somebody" who is not known here
            return self.folder / path

    def with_metrics(self, file: Path) -> "Night":
        """The same night, with this file of metrics in place of its own."""
        report = msgspec.structs.replace(self.config.report, metrics=str(file.absolute()))
        return msgspec.structs.replace(self, config=msgspec.structs.replace(self.config, report=report))
