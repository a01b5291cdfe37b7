"""Each problem that a table can report has its check."""

import re
from importlib import resources

from audits.postfix.lint.syntax import SYNTAX


def test_no_problem_is_without_a_check() -> None:
    folder = resources.files("audits.postfix")
    sources = [folder.joinpath(name).read_text("utf-8") for name in ("text_tables.py", "pattern_tables.py")]
    codes = set(re.findall(r'(?:TableProblem|_Skip|_warn)\(\s*"([a-z0-9-]+)"', "".join(sources)))
    assert codes == set(SYNTAX)
