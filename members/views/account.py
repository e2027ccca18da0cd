"""Making a log-in for oneself."""


from django.contrib import auth
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from members.forms.worker import SignUpForm
from members.services import people
from unionaid.lib.calendar import today
from unionaid.web.access import public


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
