"""A room nobody has heard of, from a folder of its own: put on the list of rooms, it is migrated, reached and loaded.

Nothing else of the program is told about it. It runs in a program of its own, for rooms are known from the start on.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from textwrap import dedent

import pytest

from karez.kernel.lanes import HEAVY
from karez.system import postgres
from tests.installations import SERVER, environment_of, new_folder, remove

ROOM = {
    "__init__.py": "",
    "apps.py": """
        from django.apps import AppConfig


        class WellsConfig(AppConfig):
            name = "karez.wells"
            label = "wells"
    """,
    "room.py": """
        from karez.access.roles import MONEY, SECOND
        from karez.kernel.lanes import HEAVY, Way
        from karez.kernel.rooms import MenuEntry, Room, Unit

        ROOM = Room(
            permissions={"wells.view": MONEY, "wells.send": MONEY, "wells.apply": SECOND},
            menu=(MenuEntry("wells.view", "wells:list", "Wells", order=45),),
            sections={"wells": "Wells of villages"},
            units={"wells": Unit("{} well", "{} wells", "wells")},
            tallied={"wells_well": "wells on record"},
            asked={r"/wells/": Way(HEAVY)},
        )
    """,
    "models.py": """
        from django.db import models

        from karez.kernel.facts import Usage


        class Well(models.Model):
            facts = Usage.LOG
            tallied = True

            number = models.TextField(unique=True)
            area_id = models.BigIntegerField()
    """,
    "migrations/__init__.py": "",
    "migrations/0001_initial.py": """
        from django.db import migrations, models


        class Migration(migrations.Migration):
            initial = True
            operations = [
                migrations.CreateModel(
                    name="Well",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        ("number", models.TextField(unique=True)),
                        ("area_id", models.BigIntegerField()),
                    ],
                )
            ]
    """,
    "sheets.py": """
        from karez.kernel.sheets import Column, Kind, Sheet


        def apply(applying):
            applying.cursor.execute(
                f"INSERT INTO wells_well (number, area_id) SELECT s.number, s.village_id FROM {applying.stage} s"
            )
            return {"wells": applying.cursor.rowcount}


        SHEETS = (
            Sheet(
                name="wells",
                label="Wells",
                about="The wells of villages.",
                columns=(
                    Column("number", "number of the well", max_length=20, reference=True),
                    Column("village", "village", Kind.AREA, levels=("village",)),
                ),
                apply=apply,
                send_permission="wells.send",
                apply_permission="wells.apply",
                key=("number",),
                area_column="village",
            ),
        )
    """,
    "urls.py": """
        from django.urls import path

        from karez.wells import views

        app_name = "wells"
        urlpatterns = [path("wells/", views.listing, name="list")]
    """,
    "views.py": """
        from django.contrib.auth.decorators import login_required
        from django.http import Http404
        from django.shortcuts import render

        from karez.access.pages import actor_of
        from karez.access.queries import granted_area_ids
        from karez.wells.models import Well


        @login_required
        def listing(request):
            if not granted_area_ids(actor_of(request), "wells.view"):
                raise Http404
            return render(request, "wells/list.html", {"wells": Well.objects.order_by("number")})
    """,
    "templates/wells/list.html": """
        {% extends "web/base.html" %}
        {% block content %}{% for well in wells %}<p>Well {{ well.number }}</p>{% endfor %}{% endblock %}
    """,
}
SETTINGS = """
    from karez.settings import *

    ROOMS = [*ROOMS[:-1], "wells", ROOMS[-1]]
    INSTALLED_APPS = [*INSTALLED_APPS, "karez.wells"]
"""
PROGRAM = """
    import io
    import sys

    import karez

    karez.__path__.append(sys.argv[1])
    from karez.cli.program import working

    with working(migrate=True):
        from conftest import build_world
        from django.conf import settings
        from django.test import Client

        settings.ALLOWED_HOSTS = ["testserver"]
        world = build_world()

        from karez.host.front.table import way_of
        from karez.host.verifying import verify_all
        from karez.intake import services as intake
        from karez.wording.numbers import unit_words
        from karez.wording.terms import room_words
        from karez.wells.models import Well

        def page(user, address):
            client = Client()
            client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
            return client.get(address)

        text = "number,village\\nW-1,990101100200\\nW-2,990101100200\\n"
        batch = intake.receive(world.finance, sheet="wells", file_name="wells.csv", stream=io.BytesIO(text.encode()))
        print("staged", intake.stage(batch.pk).state)
        intake.apply(world.approver, batch_id=batch.pk)
        print("wells", *Well.objects.order_by("number").values_list("number", flat=True))
        for name in ("finance", "approver", "auditor", "clerk", "administrator"):
            user = getattr(world, name)
            answer = page(user, "/wells/")
            linked = '"/wells/"' in page(user, "/").content.decode()
            print("page", name, answer.status_code, linked, answer.content.decode().count("<p>Well W-"))
        print("template", page(world.finance, "/files/templates/wells.xlsx").status_code)
        print("words", room_words("wells"), "|", unit_words("wells", "en"))
        print("way", way_of("GET", "/wells/").lane)
        print("proof", *[row["good"] for row in verify_all(restored=True) if row["what"] == "wells on record"])
"""


@pytest.fixture
def installation() -> Iterator[Path]:
    """A data folder with a server that runs, and nothing founded in it."""
    made = new_folder("kz-room-", migrated=True)
    try:
        with postgres.held(postgres.Cluster(made / "pg", durable=False)) if not SERVER else nullcontext():
            yield made
    finally:
        remove(made)


def test_an_added_room_is_used_without_a_word_elsewhere(tmp_path: Path, installation: Path) -> None:
    for name, text in ROOM.items():
        file = tmp_path / "rooms" / "wells" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text).lstrip())
    (tmp_path / "with_wells.py").write_text(dedent(SETTINGS))
    program = tmp_path / "use.py"
    program.write_text(dedent(PROGRAM))
    project = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, str(program), str(tmp_path / "rooms")],
        env=environment_of(
            installation,
            DJANGO_SETTINGS_MODULE="with_wells",
            PYTHONPATH=os.pathsep.join((str(tmp_path), str(project))),
        ),
        cwd=project,
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "staged checked",
        "wells W-1 W-2",
        "page finance 200 True 2",
        "page approver 404 False 0",
        "page auditor 404 False 0",
        "page clerk 404 False 0",
        "page administrator 404 False 0",
        "template 200",
        "words Wells of villages | wells",
        f"way {HEAVY}",
        "proof True",
    ]
