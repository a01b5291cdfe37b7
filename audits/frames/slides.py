"""How charts look, as data for matplotlib: a palette that people with any colour vision can tell apart, quiet axes.

Blue is what protects, orange what does not (ColorBrewer's PuOr and RdBu are safe in that way); grey is what is not
known. Text of strangers never becomes mathematics: `text.parse_math` is off.
"""

GRADE_COLOURS = {
    "MUST": "#2166ac",
    "MUST_NOPEERMATCH": "#92c5de",
    "MAY": "#e08214",
    "NONE": "#b35806",
    "INCONCLUSIVE": "#8c8c8c",
    "NO_MAIL": "#d9d9d9",
}
"""Grade -> colour, strongest first, as charts stack them."""

GRADE_WORDS = {
    "MUST": "authenticated TLS (MUST)",
    "MUST_NOPEERMATCH": "encryption only (MUST_NOPEERMATCH)",
    "MAY": "TLS not enforceable (MAY)",
    "NONE": "clear text only (NONE)",
    "INCONCLUSIVE": "not known",
    "NO_MAIL": "takes no mail",
}
"""Grade -> what people read."""

SEVERITY_COLOURS = {"alarm": "#7f3b08", "warning": "#e08214", "notice": "#92c5de", "information": "#dedede"}
"""Severity of a change -> colour, worst first."""

DEEP, MIDDLE, WARM, GREY, FAINT, INK = "#2166ac", "#92c5de", "#d9730d", "#8c8c8c", "#d9d9d9", "#222222"
"""Single colours: for what a chart is about, for what stands beside it, for what needs somebody, for the rest."""

STYLE = {
    "figure.figsize": (9.6, 4.2),
    "figure.dpi": 144,
    "figure.constrained_layout.use": True,
    "font.family": "DejaVu Sans",
    "font.size": 10.5,
    "text.color": INK,
    "text.parse_math": False,
    "axes.titlesize": 14,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 14,
    "axes.labelcolor": "#555555",
    "axes.edgecolor": "#bbbbbb",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": "#555555",
    "ytick.color": "#333333",
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "grid.color": "#e6e6e6",
    "legend.frameon": False,
}
"""For `matplotlib.pyplot.rcParams.update`."""
