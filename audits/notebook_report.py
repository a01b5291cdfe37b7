"""A notebook becomes one HTML page: executed with its parameters (papermill), shown without its code (nbconvert).

The page holds no script and asks for nothing: its Content-Security-Policy forbids both, so that text of a stranger
which a notebook failed to escape still does nothing.
"""

import html
import tempfile
from importlib import resources
from pathlib import Path
from typing import Any

from audits.extras import require
from audits.output import opened_output
from audits.store import Store
from audits.store_runs import LATEST

TIMEOUT_S = 1800
"""For one cell: a store of years may be read in it."""

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_STYLE = """
body { max-width: 62rem; margin: 2rem auto; padding: 0 1.5rem; color: #222; background: #fff;
       font: 16px/1.55 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
h1 { font-size: 1.9rem; line-height: 1.2; } h2 { font-size: 1.35rem; margin-top: 2.6rem; }
img { max-width: 100%; height: auto; } a { color: #1a5a96; }
code, pre { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .85em; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #f6f7f8; padding: .8rem 1rem; }
.jp-OutputArea-output, .output_area { overflow-x: auto; }
table { border-collapse: collapse; font-size: .85rem; margin: .8rem 0; }
th, td { text-align: left !important; vertical-align: top; padding: .35rem .9rem .35rem 0;
         border-bottom: 1px solid #e3e3e3; overflow-wrap: break-word; max-width: 26rem; }
thead th { white-space: nowrap; color: #555; border-bottom: 2px solid #bbb; }
.anchor-link, .prompt, .jp-InputPrompt, .jp-OutputPrompt { display: none; }
blockquote { border-left: 4px solid #74add1; margin-left: 0; padding-left: 1rem; color: #444; }
@media print { body { max-width: none; } h2 { break-after: avoid; } img, tr { break-inside: avoid; } }
"""


class NotebookError(Exception):
    """There is no such notebook, or it cannot be read; the message says which there are."""


class NotebookFailed(Exception):
    """A cell of the notebook raised; the message says which and what."""


def parameters_of(store: str, run: str, domain: str | None) -> dict[str, str]:
    """The parameters of a notebook; those that are not given keep the notebook's own values.

    `NoSuchRunError` and `StoreError` say what to do, before a kernel is started.
    """
    with Store.open(store) as opened:
        opened.run(run)
    place = store if "://" in store else str(Path(store).resolve())
    given = {"run": "" if run == LATEST else run, "domain": domain or ""}
    return {"store": place} | {name: value for name, value in given.items() if value}


def shipped_notebooks() -> dict[str, Path]:
    """Name -> file of the notebooks that come with the program: in the wheel, or beside the packages in the sources."""
    package = Path(str(resources.files("audits")))
    for folder in (package / "notebooks", package.parent / "notebooks"):
        if found := sorted(folder.glob("*.ipynb")):
            return {file.stem: file for file in found}
    return {}


def notebook_file(name: str) -> Path:
    """The file of a shipped notebook, or the file of that name."""
    shipped = shipped_notebooks()
    if name in shipped:
        return shipped[name]
    if name.endswith(".ipynb") and Path(name).is_file():
        return Path(name)
    raise NotebookError(f"there is no notebook {name!r}: there are {', '.join(shipped)}; or name a file (.ipynb)")


def write_notebook_report(target: Path, notebook: str, parameters: dict[str, str]) -> None:
    """Executes a notebook and writes its page; the file appears whole or not at all."""
    require("notebooks")
    file = notebook_file(notebook)
    with opened_output(target) as stream:
        stream.write(_page(_executed(file, parameters)))


def _executed(file: Path, parameters: dict[str, str]) -> Any:
    import papermill
    from traitlets.config import Config

    # Over sockets of this user's own folder, not over TCP, on which every user of the machine could listen.
    private = Config({"KernelManager": {"transport": "ipc"}})
    with tempfile.TemporaryDirectory(prefix="tlsaudit-") as folder:
        try:
            return papermill.execute_notebook(
                file,
                Path(folder) / "executed.ipynb",
                parameters=_known(papermill.inspect_notebook(file), parameters),
                kernel_name="python3",
                progress_bar=False,
                cwd=folder,
                execution_timeout=TIMEOUT_S,
                config=private,
            )
        except papermill.PapermillExecutionError as error:
            raise NotebookFailed(f"{file.name}, cell {error.exec_count}: {error.ename}: {error.evalue}") from None
        except (ValueError, OSError) as error:
            raise NotebookError(f"{file}: this is no notebook that can be run: {error}") from None


def _known(declared: dict[str, Any], parameters: dict[str, str]) -> dict[str, str]:
    """The parameters that the notebook has; one that was asked for and is not there would be silently lost."""
    strange = sorted(parameters.keys() - declared.keys())
    if strange:
        raise NotebookError(f"the notebook has no parameter {', '.join(strange)}: it knows {', '.join(declared)}")
    return parameters


def _page(notebook: Any) -> str:
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(  # type: ignore[no-untyped-call]
        template_name="basic",
        exclude_input=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
    )
    body, _ = exporter.from_notebook_node(notebook)
    title = html.escape(_title(notebook))
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<style>{_STYLE}</style>\n'
        f"</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _title(notebook: Any) -> str:
    """The first heading."""
    lines = (line for cell in notebook.cells if cell.cell_type == "markdown" for line in cell.source.splitlines())
    return next((line.lstrip("# ") for line in lines if line.startswith("# ")), "tlsaudit")
