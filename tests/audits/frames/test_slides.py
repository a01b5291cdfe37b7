"""The look of charts: every word has a colour, matplotlib knows every setting, text stays legible and apart."""

import itertools

import matplotlib as mpl
import pytest
from matplotlib.colors import to_rgb

from audits.diff import Severity
from audits.frames import slides
from audits.verdicts import Grade


def luminance(colour):
    """WCAG 2.1, relative luminance."""
    parts = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_every_grade_and_severity_has_colour_and_words():
    assert set(slides.GRADE_COLOURS) == set(slides.GRADE_WORDS) == {grade.value for grade in Grade}
    assert set(slides.SEVERITY_COLOURS) == {severity.value for severity in Severity}


def test_matplotlib_knows_every_setting():
    with mpl.rc_context():
        mpl.rcParams.update(slides.STYLE)
        assert mpl.rcParams["text.parse_math"] is False


@pytest.mark.parametrize("colours", [slides.GRADE_COLOURS, slides.SEVERITY_COLOURS])
def test_neighbours_differ_in_lightness_so_that_colour_alone_never_tells(colours):
    values = list(colours.values())
    assert all(contrast(a, b) > 1.25 for a, b in itertools.pairwise(values))


def test_ink_is_legible_on_white():
    assert contrast(slides.INK, "#ffffff") > 7
    assert contrast(slides.STYLE["xtick.color"], "#ffffff") > 4.5
