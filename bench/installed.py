"""An installation of its own for a measurement: server, tables, Ningxia's places, a region. Holds no measurement."""

import os


def set_up() -> None:
    """Brings up Karez in the data folder of the environment, with an open year 2009."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "karez.settings")
    import django

    django.setup()
    from karez.host import install
    from karez.periods import services as periods
    from karez.periods.models import Region
    from karez.places.loading import load_region
    from karez.places.queries import area_by_code

    install.bring_up()
    if not Region.objects.exists():
        load_region("64")
        area = area_by_code("640000", level="region")
        periods.found_region(area_id=area, code="64", first_year=2009, controller="bench", legal_basis="bench", complaint_body="bench")
