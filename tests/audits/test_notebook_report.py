"""`tlsaudit report --notebook`: a page without scripts, or a clear word and no file."""

import nbformat
import pytest
from click.testing import CliRunner

from audits.cli import cli
from audits.notebook_report import NotebookError, NotebookFailed, notebook_file, parameters_of, write_notebook_report
from audits.store import NoSuchRunError
from tests.demo_history import demo_history


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return str(demo_history(tmp_path_factory))


def report(*words):
    return CliRunner().invoke(cli, ["report", *words])


def own_notebook(folder, *sources):
    cells = [nbformat.v4.new_markdown_cell("# Own <b>words</b>")]
    cells += [nbformat.v4.new_code_cell('store = ""', metadata={"tags": ["parameters"]})]
    cells += [nbformat.v4.new_code_cell(source) for source in sources]
    file = folder / "own.ipynb"
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), file)
    return str(file)


def test_a_shipped_notebook_becomes_a_page_that_holds_no_script(store, tmp_path):
    page = tmp_path / "r.html"
    words = ("--notebook", "domain_deep_dive", "--domain", "hostile-words.example", "--html", str(page))
    result = report("latest", "--store", store, *words)
    assert (result.exit_code, result.stdout) == (0, ""), result.output
    text = page.read_text()
    assert "default-src 'none'; img-src data:; style-src 'unsafe-inline'" in text
    assert "<title>One domain, all evidence</title>" in text
    assert "<script" not in text.lower()
    assert "&lt;script&gt;alert(document.domain)&lt;/script&gt;" in text
    assert "data:image/png" in text
    assert "open_history" not in text, "the code is not shown"
    assert list(tmp_path.iterdir()) == [page]


def test_a_notebook_of_ones_own(tmp_path):
    page = tmp_path / "own.html"
    write_notebook_report(page, own_notebook(tmp_path, "print(store + ' <i>')"), {"store": "given"})
    assert "given &lt;i&gt;" in page.read_text()
    assert "<title>Own &lt;b&gt;words&lt;/b&gt;</title>" in page.read_text()


def test_a_cell_that_raises_leaves_no_page(tmp_path):
    with pytest.raises(NotebookFailed, match=r"own.ipynb, cell \d: ZeroDivisionError"):
        write_notebook_report(tmp_path / "own.html", own_notebook(tmp_path, "1/0"), {})
    assert not (tmp_path / "own.html").exists()


def test_an_unknown_parameter_is_told(tmp_path):
    with pytest.raises(NotebookError, match="no parameter domain: it knows store"):
        write_notebook_report(tmp_path / "own.html", own_notebook(tmp_path), {"domain": "a.example"})


def test_notebooks_are_found_by_name_or_file(tmp_path):
    assert notebook_file("trends").name == "trends.ipynb"
    with pytest.raises(NotebookError, match="there are domain_deep_dive, nightly_report, trends; or name a file"):
        notebook_file("nope")


def test_what_is_no_notebook_is_told(tmp_path):
    (tmp_path / "x.ipynb").write_text("no json")
    with pytest.raises(NotebookError, match="no notebook that can be run"):
        write_notebook_report(tmp_path / "own.html", str(tmp_path / "x.ipynb"), {})


def test_parameters(store):
    assert parameters_of(store, "latest", None) == {"store": store}
    given = parameters_of(store, "2026-11-02T02-30-00", "a.example")
    assert given == {"store": store, "run": "2026-11-02T02-30-00", "domain": "a.example"}
    with pytest.raises(NoSuchRunError):
        parameters_of(store, "nope", None)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--notebook", "trends"), "needs both: --notebook NAME --html FILE"),
        (("--domain", "a.example", "--html", "x.html"), "needs both"),
        (("--notebook", "trends", "--html", "x.html", "--csv", "y.csv"), "leave other reports and baselines out"),
        (("--notebook", "nope", "--html", "x.html"), "there is no notebook 'nope'"),
    ],
)
def test_wrong_words_are_told(store, words, said):
    result = report("latest", "--store", store, *words)
    assert (result.exit_code, said in result.output) == (2, True), result.output
