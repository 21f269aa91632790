"""Shared by all tests: nobody's progress is touched, and plots need no screen."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

# Set before anything is imported, and inherited by the kernels that tests start.
os.environ["OPTIM_COURSE_PROGRESS"] = str(Path(tempfile.mkdtemp(prefix="course-tests-")) / "progress.json")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["MPLBACKEND"] = "Agg"
