"""The one reader of workbooks (XLSX) that somebody sent: in a process of its own, bounded in memory, time and text.
Holds no typing of cells.

`reading` is what rooms call. Everything else here runs in the child process and imports the standard library alone.
"""
