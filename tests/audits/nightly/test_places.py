"""Where keys stand in a TOML file."""

from audits.nightly.places import places

FILE = """\
# a comment = 1
top = "x = 1 # no comment ["
list = [
  "not = a key",
  "[not.a.table]",
]

[scan]  # the scan
depth = "full"
"quoted-key" = 1
'single' = [1, [2]]
after = 2

[[rows]]
id = 1
[[rows]]
id = 2
"""


def test_tables_and_keys_have_their_lines():
    found = places(FILE)
    assert found["", "top"] == 2
    assert found["", "list"] == 3
    assert found["scan", ""] == 8
    assert found["scan", "depth"] == 9
    assert found["scan", "quoted-key"] == 10
    assert found["scan", "after"] == 12
    assert found["rows", "id"] == 15
    assert ("", "not = a key") not in found
    assert ("not.a.table", "") not in found
