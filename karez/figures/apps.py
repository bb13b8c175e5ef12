"""The figures room as a Django app. Hands its comparison with live reports to closing."""

from django.apps import AppConfig


class FiguresConfig(AppConfig):
    """Declared figures and their engine."""

    name = "karez.figures"
    label = "figures"

    def ready(self) -> None:
        """Registers the report check; nothing else happens at start."""
        from karez.closing.declared import register_report_check
        from karez.figures.reports import check_reports

        register_report_check("figures.reports_equal_figures", check_reports)
