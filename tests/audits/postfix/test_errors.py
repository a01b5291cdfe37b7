"""The one exception of the package."""

from audits.postfix.errors import ConfigError


def test_it_names_file_and_line_where_there_is_one() -> None:
    error = ConfigError("main.cf", 3, "NUL byte in the line")
    assert (str(error), error.path, error.line) == ("main.cf:3: NUL byte in the line", "main.cf", 3)
    assert str(ConfigError("main.cf", 0, "cannot be read")) == "main.cf: cannot be read"
