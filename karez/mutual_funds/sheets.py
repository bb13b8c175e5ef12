"""The files of village mutual funds that may be loaded. Holds their declarations; checks and writing are beside it."""

from karez.kernel.sheets import Sheet

SHEETS: tuple[Sheet, ...] = ()
