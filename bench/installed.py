"""An installation of its own for a measurement: server, tables, places, a region. Holds no measurement."""

import os


def start() -> None:
    """Readies the program to be used outside a server, on the data folder of the environment."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "karez.settings")
    import django

    from karez.system import keys

    keys.make_if_missing()  # before the settings are read
    django.setup()


def set_up() -> None:
    """Brings up Karez in the data folder of the environment, with Ningxia's places and an open year 2009."""
    start()
    from karez.host import install

    install.bring_up()
    found("64")


def found(code: str) -> None:
    """Founds the region of that code, once, with the places that come along where there are some."""
    from karez.periods import services as periods
    from karez.periods.models import Region
    from karez.places.loading import SHIPPED, load_region
    from karez.places.queries import area_by_code

    if not Region.objects.exists():
        if code in SHIPPED:
            load_region(code)
        area = area_by_code(f"{code}0000", level="region")
        periods.found_region(
            area_id=area, code=code, first_year=2009, controller="bench", legal_basis="bench", complaint_body="bench"
        )
