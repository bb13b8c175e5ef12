"""Pages of sign-off: an edition as it will be public, who stands for it, its errata; and the steps people take. Holds
no rules.
"""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_http_methods, require_POST

from karez.access.models import User
from karez.access.pages import WholeField, actor_of, answer_form
from karez.chapter.hints import counted_then, titled
from karez.chapter.pictures import placed
from karez.closing.queries import check_region
from karez.periods.services import region as the_region
from karez.places.queries import may
from karez.publication import queries, services
from karez.publication.formats.publication import Publication
from karez.publication.models import Edition, Step
from karez.publication.queries import Told
from karez.wording.numbers import CHINESE, readers_language

STEPS = (
    (Step.PREPARED, _lazy("Prepared by")),
    (Step.REVIEWED, _lazy("Reviewed by")),
    (Step.SIGNED, _lazy("Signed by")),
)


def steps_of(told: Told) -> list[tuple[Any, Any]]:
    """The three steps in words, each with who took it or None."""
    return [(words, told.steps.get(step.value)) for step, words in STEPS]


def next_step(actor: User, told: Told) -> str:
    """What this person may do now to an edition: review, sign, or nothing. The newest edition of its year only."""
    step, permission = {"prepared": ("review", "publication.review"), "reviewed": ("sign", "publication.sign")}.get(
        told.state, ("", "")
    )
    if not step or any(s.by_id == actor.pk for s in told.steps.values()):
        return ""
    return step if _is_newest(told) and may(actor, permission, the_region().area_id) else ""


def _is_newest(told: Told) -> bool:
    return not Edition.objects.filter(year=told.edition.year, number__gt=told.edition.number).exists()


@login_required
@require_POST
def prepare(request: HttpRequest, region: str, year: int) -> HttpResponse:
    """Prepares a new edition of a sealed year's chapter, under the name of who asks."""
    check_region(region)
    edition = services.prepare_edition(actor_of(request), year=year)
    messages.success(request, _("Prepared, under your name. Another person reviews it, a third signs."))
    return redirect("publication:edition", edition.pk)


class StepForm(forms.Form):
    """A note to a step."""

    do = forms.ChoiceField(choices=[("review", ""), ("sign", ""), ("approve", "")])
    note = forms.CharField(max_length=300, required=False)
    erratum = WholeField(required=False)


class ErratumForm(forms.Form):
    """What a signed edition should have said."""

    figure = forms.ChoiceField(label=_lazy("Figure"))
    place = forms.ChoiceField(label=_lazy("Place"))
    corrected = forms.CharField(label=_lazy("Right value, in the figure's unit"), max_length=40)
    reason = forms.CharField(label=_lazy("Why"), max_length=300)

    def __init__(self, told: Told, *words: Any, **more: Any) -> None:
        super().__init__(*words, **more)
        zh = readers_language() == CHINESE
        label, name = ("label_zh", "name_zh") if zh else ("label", "name_en")
        printed = {i for (i, _place), (exact, _state) in told.content.cells.items() if exact is not None}
        chosen = [(i, f[label] or f["label"]) for i, f in told.content.figures.items() if i in printed]
        self.fields["figure"].choices = [(i, f"{words} ({i})") for i, words in chosen]  # type: ignore[attr-defined]
        self.fields["place"].choices = [(c, p[name] or p["name_zh"]) for c, p in told.content.places.items()]  # type: ignore[attr-defined]


@login_required
@require_http_methods(["GET", "POST"])
def edition(request: HttpRequest, edition_id: int) -> HttpResponse:
    """An edition to the letter, its people and digest, its errata; on POST a step is taken or an erratum proposed or
    approved.
    """
    actor = actor_of(request)
    told = queries.edition(actor, edition_id)
    step = request.method == "POST" and request.POST.get("do") in ("review", "sign", "approve")
    typed = request.POST if request.method == "POST" else None
    erratum = ErratumForm(told, None if step else typed)
    form = StepForm(typed) if step else erratum

    def do(cleaned: dict[str, Any]) -> str:
        if step:
            _take(actor, edition_id, cleaned)
        else:
            services.add_erratum(actor, edition_id, **cleaned)
        return reverse("publication:edition", args=[edition_id])

    done = (
        _("Done, under your name.")
        if step
        else _("The erratum is proposed. It stands beside the edition once another person approves it.")
    )
    return answer_form(
        request, form, do, "publication/edition.html", {**_context(actor, told), "erratum_form": erratum}, done=done
    )


def _take(actor: User, edition_id: int, cleaned: dict[str, Any]) -> None:
    match cleaned["do"]:
        case "review":
            services.review_edition(actor, edition_id, note=cleaned["note"])
        case "sign":
            services.sign_edition(actor, edition_id, note=cleaned["note"])
        case _:
            services.approve_erratum(actor, cleaned["erratum"] or 0)


def _context(actor: User, told: Told) -> dict[str, Any]:
    area, language = the_region().area_id, readers_language()
    may_approve = may(actor, "publication.sign", area)
    waiting = [
        (e, may_approve and e.by_id != actor.pk)
        for e in queries.errata_waiting(actor)
        if e.edition_id == told.edition.pk
    ]
    labels = {i: (f["label_zh"] if language == CHINESE else "") or f["label"] for i, f in told.content.figures.items()}
    places = {
        c: (p["name_zh"] if language == CHINESE else "") or p["name_en"] or p["name_zh"]
        for c, p in told.content.places.items()
    }
    chapter = told.content.chapter(language)
    sections, pictures = placed(
        titled(chapter.sections, counted_then(told.content.figures, language)),
        Publication(told.content).printed[language],
    )
    return {
        "told": told,
        "steps": steps_of(told),
        "next": next_step(actor, told),
        "chapter": chapter,
        "sections": sections,
        "pictures": pictures,
        "lang": "zh-Hans" if language == CHINESE else "en",
        "waiting": waiting,
        "labels": labels,
        "places": places,
        # What it says may have changed since, by an erratum or another year's edition: then it is prepared anew.
        "may_renew": not told.signed and _is_newest(told) and may(actor, "publication.prepare", area),
        "may_correct": told.signed and may(actor, "publication.prepare", area),
        "link": {"region": told.content.said["region"]["code"], "year": told.edition.year},
    }
