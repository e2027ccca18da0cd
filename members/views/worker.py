"""The worker's side of the counter: sign up, my cover, my certificate; and the public verification page."""

import uuid

from django.contrib import auth
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from members import certificate
from members.forms import SignUpForm
from members.selectors.cover import covers_in_scope
from members.services import people
from unionaid.lib.calendar import plus_days, today
from unionaid.lib.identity import mask_name
from unionaid.offices.access import requires
from unionaid.offices.scope import everywhere
from unionaid.web.access import public
from unionaid.web.files import send


@public
@never_cache
@sensitive_post_parameters()
def sign_up(request: HttpRequest) -> HttpResponse:
    """Make a log-in for oneself; one is logged in afterwards."""
    form = SignUpForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user = people.sign_up(**form.cleaned_data, on=today())
        except people.PersonRefused as refusal:
            form.refuse(refusal.message)
        else:
            auth.login(request, user, backend="unionaid.accounts.backends.NumberBackend")
            return redirect("home")
    return render(request, "members/worker/sign_up.html", {"form": form}, status=400 if form.errors else 200)


@requires("my.use")
@never_cache
def certificate_pdf(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """The certificate of one of my enrolments."""
    cover = get_object_or_404(covers_in_scope(), public_id=public_id, state="effective")
    address = request.build_absolute_uri(reverse("members:verify", args=[public_id]))
    content = certificate.render(cover, verify_url=address)
    return send(content, content_type="application/pdf", file_name=f"{certificate.number_of(cover)}.pdf", as_attachment=True)


@public
def verify(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Is this certificate genuine? Shows no personal data beyond a masked name."""
    with everywhere(reason="verify a certificate"):
        cover = covers_in_scope().filter(public_id=public_id).first()
    if cover is None or cover.state != "effective":
        raise Http404
    context = {"cover": cover, "masked_name": mask_name(cover.member.name), "last_day": plus_days(cover.cover.upper, -1)}
    return render(request, "members/public/verify.html", context)
