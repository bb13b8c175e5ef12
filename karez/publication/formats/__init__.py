"""Formats an edition is published in, each from the same content: a static site, PDF, DOCX, XLSX, open data. They
compute nothing.

Every format answers with file names and bytes; the same edition gives the same bytes, and no clock is read.
"""
