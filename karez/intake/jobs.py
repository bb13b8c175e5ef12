"""Staging and applying as jobs of the worker, and the daily deletion of old files. Holds no work of its own."""

from datetime import date

from procrastinate.contrib.django import app

from karez.intake import retention, services
from karez.kernel.refusal import Refusal


@app.task(name=services.STAGE_JOB)
def stage_batch(batch_id: int, again: bool = False) -> None:
    """Stages a batch; a refusal is noted on the batch and ends the job."""
    try:
        services.stage(batch_id, again=again)
    except Refusal:
        return


@app.task(name=services.APPLY_JOB)
def apply_batch(batch_id: int) -> None:
    """Applies a batch whose applying was decided; a refusal is noted on the batch and ends the job."""
    try:
        services.run_apply(batch_id)
    except Refusal:
        return


@app.periodic(cron="20 3 * * *")
@app.task(name="karez.intake.delete_old_files")
def delete_old_files(timestamp: int) -> None:
    """Deletes kept files whose day has come."""
    retention.delete_old_files(date.today())
