"""The server in front of the site: takes requests whole before a thread of the site is used, and answers for those that
must wait.

It has no Django, reads nothing that foreign people send, and so hardly dies; the processes behind it may. See `app` for
the way of a request. Holds no pages of its own: what it says is prepared by `karez.web.plain`.
"""
