"""Runs as pandas DataFrames, tidy and with documented columns (FRAMES.md): what notebooks and exports build on.

from audits import frames
with frames.open_history("tlsaudit.db") as history:
    history.grades("all").groupby("run")["grade"].value_counts()
"""

from audits.frames.columns import FRAMES as FRAMES
from audits.frames.columns import Column as Column
from audits.frames.columns import Frame as Frame
from audits.frames.history import History as History
from audits.frames.history import Runs as Runs
from audits.frames.history import all_frames as all_frames
from audits.frames.history import open_history as open_history
from audits.frames.html_table import html_table as html_table
