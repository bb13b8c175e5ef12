"""What every page needs of a request: who asks, values out of forms and addresses, and a form whose refusal is shown in
place.

Holds no page and no template of a room; rooms' views import it, so it stands below them all.
"""

import json
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeVar
from uuid import UUID, uuid4

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import Error as DatabaseError
from django.db import connection, transaction
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from karez.access.models import SentForm, User
from karez.access.parameters import FIRST_DAY, LAST_DAY, integer
from karez.kernel import fields
from karez.kernel.messages import read, say
from karez.kernel.money import parse_fen
from karez.kernel.refusal import Refusal
from karez.kernel.sealing import SealingKey
from karez.kernel.written import decimal, read_day, read_number, read_whole, read_year

__all__ = [
    "PAGE",
    "AnotherForm",
    "DayField",
    "NumberField",
    "WholeField",
    "YearField",
    "YuanField",
    "actor_of",
    "answer_form",
    "database_refusal",
    "integer",
    "once",
    "uploaded",
]
PAGE = 50
_REMEMBERED = timedelta(days=2)
T = TypeVar("T")


def actor_of(request: HttpRequest) -> User:
    """The person signed in; views are behind `login_required`."""
    assert isinstance(request.user, User)
    return request.user


def uploaded(request: HttpRequest) -> UploadedFile:
    """The file of a form's field `file`; refuses where none was sent."""
    found = request.FILES.get("file")
    if not isinstance(found, UploadedFile):
        raise Refusal(
            "form.no_file",
            record=say("the form"),
            found=say("no file"),
            expected=say("one file"),
            rule=say("a document is a file"),
            todo=say("choose a file and send again"),
        )
    return found


class DayField(forms.DateField):
    """A day within the years somebody means, by the browser's own calendar; what is typed is read as in a file,
    01/12/2009 in no way.
    """

    default_validators = [MinValueValidator(FIRST_DAY), MaxValueValidator(LAST_DAY)]
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    default_error_messages = {"invalid": _lazy("Not a day that can be read in one way: write it as 2009-03-31.")}

    def to_python(self, value: Any) -> date | None:
        """The day; refuses what can be read in two ways."""
        return super().to_python(_read(self, read_day, value))


class YearField(forms.IntegerField):
    """A year of four digits, read as in a file."""

    default_error_messages = {"invalid": _lazy("Not a year: write its four digits.")}

    def to_python(self, value: Any) -> int | None:
        """The year; refuses what is none."""
        return super().to_python(_read(self, read_year, value))


class NumberField(forms.DecimalField):
    """A number with decimals, read as in a file: 1.080 might be a thousand, and 1e5 is not all its digits, so they are
    none.
    """

    default_error_messages = {
        "invalid": _lazy("Not a number that can be read in one way: write 1080 or 1.08, not 1.080 or 1e3.")
    }

    def __init__(self, *, decimals: int, **words: Any) -> None:
        super().__init__(
            decimal_places=decimals,
            widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
            **words,
        )
        self._form = decimal(decimals)

    def to_python(self, value: Any) -> Any:  # DecimalField is declared to give whole numbers
        """The number, exactly; refuses what can be read in two ways."""
        found = _read(self, lambda text: read_number(text, self._form), value)
        return super().to_python(Decimal(found.numerator) / found.denominator if isinstance(found, Fraction) else found)


class WholeField(forms.IntegerField):
    """A whole number, read as in a file: 1.000 might be a thousand, so it is none."""

    default_error_messages = {
        "invalid": _lazy("Not a whole number that can be read in one way: write 1080, not 1.080 or 1e3.")
    }

    def to_python(self, value: Any) -> int | None:
        """The number; refuses what can be read in two ways."""
        return super().to_python(_read(self, read_whole, value))


def _read(field: forms.Field, read: Callable[[str], Any], value: Any) -> Any:
    """What was typed as `read` reads it; what is no text is given back."""
    if not isinstance(value, str) or not value.strip():
        return value
    found = read(value)
    if found is None:
        raise forms.ValidationError(field.error_messages["invalid"], code="invalid")
    return found


class YuanField(forms.CharField):
    """An amount typed in yuan, given on in fen."""

    def __init__(self, **words: Any) -> None:
        super().__init__(widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}), **words)

    def clean(self, value: Any) -> Any:
        """The amount in fen."""
        text = super().clean(value)
        if not text:
            return None
        try:
            return parse_fen(text)
        except (Refusal, ValueError) as fault:
            raise forms.ValidationError(
                _("Not an amount: write yuan with at most two decimals, for example 1200.50.")
            ) from fault


class AnotherForm(forms.Form):
    """A form of what may be there already: when the answer says so, it comes back with a box to tick."""

    confirmed = forms.BooleanField(
        label=_lazy("This is another one: record it too"), required=False, widget=forms.HiddenInput
    )

    def __init__(self, *words: Any, **more: Any) -> None:
        super().__init__(*words, **more)
        if self.data.get("confirmed"):
            self.ask_again()

    def ask_again(self) -> None:
        """Shows the box."""
        self.fields["confirmed"].widget = forms.CheckboxInput()


def answer_form(
    request: HttpRequest,
    form: forms.Form,
    do: Callable[[dict[str, Any]], str],
    template: str,
    context: Mapping[str, Any],
    *,
    done: str | Callable[[Mapping[str, Any]], str] = "",
) -> HttpResponse:
    """Shows a form; on POST does `do(cleaned)`, which returns the address to go to. A refusal is shown in place,
    nothing typed is lost.

    `done` is what is said afterwards, or tells it from what was typed. The form carries a token (`sent_form`, written
    by `web/form.html`): the same form sent twice is done once.
    """
    refusal = None
    status = 200
    if request.method == "POST" and form.is_valid():
        words = done(dict(form.cleaned_data)) if callable(done) else done
        try:
            address, again = once(request, lambda: do(form.cleaned_data))
        except Refusal as error:
            refusal, status = error, error.status
            if error.more.get("confirm") and isinstance(form, AnotherForm):
                form.ask_again()
        except DatabaseError as error:
            refusal = database_refusal(error)
            if refusal is None:
                raise
            status = refusal.status
        else:
            if again:
                messages.info(request, _("This form was sent before; it was recorded once."))
            elif words:
                messages.success(request, words)
            return redirect(address)
    elif request.method == "POST":
        status = 422
    told = {**context, "form": form, "refusal": refusal, "sent_form": request.POST.get("sent_form") or uuid4()}
    return render(request, template, told, status=status)


def once(request: HttpRequest, do: Callable[[], str]) -> tuple[str, bool]:
    """Does it and answers where to go, or answers where the same form led when it was sent before as it is, and True.

    Who sends the same form at the same moment waits here until the first is done; what is refused leaves the token
    free.
    """
    user_id, digest = actor_of(request).pk, _digest(request)
    try:
        token = UUID(request.POST.get("sent_form", ""))
    except ValueError:
        token = uuid4()  # a program that posts without having asked for the form
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                (
                    "INSERT INTO access_sentform (user_id, token, digest, address) VALUES (%s, %s, %s, '') ON CONFLICT "
                    "DO NOTHING"
                ),
                [user_id, token, digest],
            )
            first = cursor.rowcount == 1
        this = SentForm.objects.filter(user_id=user_id, token=token, digest=digest)
        if not first:
            return this.get().address, True
        address = do()
        this.update(address=address)
        SentForm.objects.filter(at__lt=Now() - _REMEMBERED).delete()
        return address, False


def _digest(request: HttpRequest) -> bytes:
    """A keyed digest of where a form was sent and of all that was typed, so that nobody confirms a guess by it; of a
    file name and size.
    """
    typed = sorted(
        (name, values) for name, values in request.POST.lists() if name not in ("sent_form", "csrfmiddlewaretoken")
    )
    files = sorted(
        (name, file.name, file.size) for name, file in request.FILES.items() if isinstance(file, UploadedFile)
    )
    key: SealingKey = settings.SEALING_KEY
    return key.digest(b"form", json.dumps([request.path, typed, files]).encode())


def database_refusal(exception: BaseException) -> Refusal | None:
    """The database's own refusal (SQLSTATE KZ...), or its end of patience, as a Refusal; None where the error is
    another.
    """
    cause = exception.__cause__ if isinstance(exception, DatabaseError) else None
    state = str(getattr(cause, "sqlstate", "") or "")
    if state in _IMPATIENT:
        return _out_of_time(state)
    diagnosis = getattr(cause, "diag", None)
    held = fields.refusal_of(getattr(diagnosis, "constraint_name", None) or "", say("what was sent"))
    if held is not None:
        return held
    if cause is None or not state.startswith("KZ"):
        return None
    return Refusal(
        "periods.busy" if state == "KZ002" else f"database.{state.lower()}",
        record=say("what was sent"),
        found=read(getattr(diagnosis, "message_primary", "")) or str(cause),
        expected=say("what the rule allows"),
        rule=read(getattr(diagnosis, "message_detail", "")) or say("the database keeps the rules of the books"),
        todo=say("correct what is named and send again; nothing was written"),
    )


# A page waits a bounded time (`host.sessions`): for a row another works with, for an answer, for its own next
# statement.
_IMPATIENT = frozenset({"55P03", "57014", "25P03"})


def _out_of_time(state: str) -> Refusal:
    held = state == "55P03"
    return Refusal(
        "database.busy" if held else "database.too_long",
        record=say("what was sent"),
        found=say("somebody else who is writing the same record, or closing the year")
        if held
        else say("work that takes longer than a page may"),
        expected=say("an answer of the database within a bounded time"),
        rule=say("a page waits a bounded time, so that nobody holds up the others"),
        todo=say("try again in a minute, or ask for less at once; nothing was written"),
    )
