"""FRAMES.md is what the columns say."""

from audits.frames.columns import FRAMES
from audits.frames.page import frames_markdown
from tests.environments import ROOT


def test_the_page_is_drawn_anew():
    """Else: python -m audits.frames.page > FRAMES.md"""
    assert (ROOT / "FRAMES.md").read_text() == frames_markdown()


def test_every_column_stands_in_it():
    page = frames_markdown()
    assert all(f"| `{column.name}` |" in page for frame in FRAMES.values() for column in frame.columns)
