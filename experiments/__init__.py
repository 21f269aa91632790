"""The experiments of the chapters, one module a chapter: too long for a cell, too particular for the library."""

from optim_lib.extras import require

require("all")
