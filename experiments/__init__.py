"""The experiments of the chapters, one module a chapter: too long for a cell, too particular for the library."""
