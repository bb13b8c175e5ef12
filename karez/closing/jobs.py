"""Preparing and signing as jobs of the worker. Holds no work of its own."""

from procrastinate.contrib.django import app

from karez.closing import work


@app.task(name=work.JOB)
def run_work(work_id: int) -> None:
    """Does what was asked for on a page; a refusal is noted on it and ends the job."""
    work.run(work_id)
