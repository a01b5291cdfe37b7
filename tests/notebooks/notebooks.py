"""The committed notebooks, and how the tests execute one: in a kernel of its own, with warnings as errors."""

from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from tests.environments import ROOT

FOLDER = ROOT / "notebooks"
FILES = sorted(FOLDER.glob("*.ipynb"))
STRICT = "import warnings\nwarnings.simplefilter('error')"


def read(file: Path) -> Any:
    return nbformat.read(file, as_version=4)  # type: ignore[no-untyped-call]


def parameter_cell(notebook: Any) -> Any:
    (cell,) = (cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", ()))
    return cell


def executed(file: Path, folder: Path, **parameters: str) -> Any:
    """The notebook with its outputs; raises what a cell raises."""
    notebook = read(file)
    place = notebook.cells.index(parameter_cell(notebook)) + 1
    given = "\n".join(f"{name} = {value!r}" for name, value in parameters.items())
    notebook.cells.insert(place, nbformat.v4.new_code_cell(f"{STRICT}\n{given}"))  # type: ignore[no-untyped-call]
    where = {"metadata": {"path": str(folder)}}
    client = NotebookClient(notebook, timeout=300, kernel_name="python3", resources=where)
    client.execute()
    return notebook


def outputs(notebook: Any) -> list[Any]:
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
