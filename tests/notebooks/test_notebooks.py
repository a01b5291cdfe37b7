"""The notebooks: committed without output, importing frames and charts alone, running top to bottom on demo data."""

import ast
import re

import pytest
from nbclient.exceptions import CellExecutionError

from audits.frames import open_history
from audits.store import Store
from scanner.facts import RouteStatus
from tests import stored_samples as samples
from tests.audits.diff.looks import THROTTLED, Night, certificate, one, stored
from tests.audits.session_factory import GOOD
from tests.demo_history import demo_history
from tests.notebooks.notebooks import FILES, executed, outputs, parameter_cell, read

ALLOWED = {"audits", "matplotlib", "IPython"}
NAMES = {"nightly_report", "trends", "domain_deep_dive"}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return str(demo_history(tmp_path_factory))


def code(file):
    return "\n".join(cell.source for cell in read(file).cells if cell.cell_type == "code")


def figures(notebook):
    return sum("image/png" in output.get("data", {}) for output in outputs(notebook))


def text(notebook):
    """All that a reader sees of the outputs, without the pictures."""
    seen = (o.get("data", {}) for o in outputs(notebook))
    shown = [page.get("text/html") or page.get("text/markdown", "") for page in seen]
    return "\n".join(shown + [o.text for o in outputs(notebook) if o.output_type == "stream"])


def test_they_are_the_promised_ones():
    assert {file.stem for file in FILES} == NAMES


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_output_is_committed(file):
    notebook = read(file)
    for cell in notebook.cells:
        assert cell.cell_type == "markdown" or (cell.outputs, cell.execution_count) == ([], None)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_they_import_frames_and_charts_alone(file):
    tree = ast.parse(code(file))
    modules = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    modules += [name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names]
    assert {module.partition(".")[0] for module in modules} <= ALLOWED
    of_ours = [module for module in modules if module.startswith("audits")]
    assert of_ours
    assert all(module in ("audits", "audits.frames") for module in of_ours)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_words_explain_and_parameters_are_marked(file):
    notebook = read(file)
    assert notebook.cells[0].source.startswith("# ")
    words = sum(len(cell.source.split()) for cell in notebook.cells if cell.cell_type == "markdown")
    assert words > 90
    assert "store = " in parameter_cell(notebook).source
    assert all(len(line) <= 120 for line in code(file).splitlines())


def test_the_nightly_report_tells_the_night(store, tmp_path):
    shown = executed(*_named("nightly_report"), tmp_path, store=store)
    assert figures(shown) == 5
    said = text(shown)
    assert "270 (92 %) can be held" in said
    assert "1 could not be judged tonight" in said
    assert re.search(r"<td>starttls-lost</td><td>1</td>", said)
    assert "no answer within 30 s" in said


def test_the_nightly_report_of_a_throttled_night_and_of_the_first(store, tmp_path):
    throttled = text(executed(*_named("nightly_report"), tmp_path, store=store, run="2026-11-12T02-30-00"))
    assert "58 could not be judged" in throttled
    assert "Too many connections from your network" in throttled
    first = text(executed(*_named("nightly_report"), tmp_path, store=store, run="2026-11-01T02-30-00"))
    assert "no earlier run with a list like this one" in first


def test_trends_tell_the_fortnight(store, tmp_path):
    shown = executed(*_named("trends"), tmp_path, store=store)
    assert figures(shown) == 5
    assert "**14 runs** from 1 November 2026 to 14 November 2026" in text(shown)


def test_the_deep_dive_takes_the_worst_news_by_itself(store, tmp_path):
    shown = executed(*_named("domain_deep_dive"), tmp_path, store=store)
    assert figures(shown) == 2
    assert "starttls-lost" in text(shown)
    assert "S: 250-PIPELINING" in text(shown)


@pytest.mark.parametrize("kind", ["mta_sts_mode", "dane_only", "route", "operator"])
def test_the_deep_dive_of_other_kinds_of_domains(kind, store, tmp_path):
    value = {"mta_sts_mode": "enforce", "dane_only": "yes", "route": "null-mx", "operator": "harbour.example"}[kind]
    with open_history(store) as history:
        domains = history.domains()
    domain = domains["domain"][domains[kind] == value].iloc[0]
    assert value in text(executed(*_named("domain_deep_dive"), tmp_path, store=store, domain=domain))


def test_hostile_words_stay_words(store, tmp_path):
    said = text(executed(*_named("domain_deep_dive"), tmp_path, store=store, domain="hostile-words.example"))
    tables = said[: said.index("S: 220")]
    assert "&lt;img src=x onerror=&quot;alert(1)&quot;&gt;" in tables
    assert not re.search(r"<(script|img)", tables)
    assert "\x1b" not in said


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_store_with_one_small_run(name, tmp_path):
    """A first night of two domains with the samples' servers: no chart may need a history."""
    import msgspec

    from audits.judge import Judge
    from audits.store import DomainResult
    from audits.trust import TrustStore
    from tests.certificate_factory import root

    judge = Judge(TrustStore([root().der]), 9, None)
    place = tmp_path / "one.db"
    with Store.open(place, writing=True) as opened:
        run = opened.begin_run(samples.start(), samples.entries(2))
        seen = [samples.seen(1), samples.unreachable(2)]
        for number, facts in enumerate(seen, 1):
            record = judge.record(samples.domain(number), [facts])
            result = DomainResult(number, samples.domain(number), record.grade.value, msgspec.json.encode(record))
            opened.save(run.id, [result], [facts])
        opened.finish_run(run.id, samples.NIGHT)
    executed(*_named(name), tmp_path, store=str(place))


NAMELESS = certificate(9, issuer="", subject="")
UNREADABLE = certificate(8, not_before=None, not_after=None)
HARD = {
    "unresolved.example": Night(servers={}, status=RouteStatus.UNRESOLVED),
    "throttled.example": one(THROTTLED),
    "nameless.example": Night(servers={"mx.example.org": {"192.0.2.7": GOOD}}, leaf=NAMELESS),
    "unreadable.example": one(leaf=UNREADABLE),
}
NULL_MX = Night(servers={}, status=RouteStatus.NULL_MX)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_what_strangers_show_and_what_nobody_answers(name, tmp_path):
    """Certificates without names or dates, a domain that left the list as the only news, and DNS that failed."""
    stored(tmp_path / "hard.db", {**HARD, "gone.example": one()}, HARD)
    said = text(executed(*_named(name), tmp_path, store=str(tmp_path / "hard.db")))
    assert "was judged" not in said
    assert "no mail server" not in said
    if name == "nightly_report":
        assert "unresolved.example" in said, "what is not known"
    if name == "domain_deep_dive":
        nameless = executed(*_named(name), tmp_path, store=str(tmp_path / "hard.db"), domain="nameless.example")
        assert figures(nameless) == 2


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_list_that_takes_no_mail(name, tmp_path):
    stored(tmp_path / "null.db", {"null.example": NULL_MX})
    executed(*_named(name), tmp_path, store=str(tmp_path / "null.db"))


def test_trends_without_a_finished_run_say_what_to_do(tmp_path):
    stored(tmp_path / "open.db", HARD, finished=False)
    with pytest.raises(CellExecutionError, match="no finished run yet"):
        executed(*_named("trends"), tmp_path, store=str(tmp_path / "open.db"))


def _named(name):
    return (next(file for file in FILES if file.stem == name),)
