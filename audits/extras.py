"""The optional parts of tlsaudit: says how to install one before the command that needs it begins."""

from importlib.util import find_spec

EXTRAS = {
    "frames": ("pandas", "pyarrow"),
    "notebooks": ("pandas", "pyarrow", "matplotlib", "papermill", "nbconvert", "ipykernel"),
    "postgresql": ("psycopg",),
}
"""Extra -> the packages that we import of it, as in pyproject.toml."""


class ExtraMissingError(Exception):
    """An extra is not installed; the message says how to install it."""


def require(extra: str) -> None:
    """Raises `ExtraMissingError` unless all packages of an extra are here; imports none of them."""
    missing = [package for package in EXTRAS[extra] if find_spec(package) is None]
    if missing:
        raise ExtraMissingError(
            f"this needs the extra {extra!r}, of which {', '.join(missing)} is not installed here:"
            f" pipx install 'tlsaudit[{extra}]' (or pip install '.[{extra}]' in a copy of the sources)"
        )
