"""Logging in and out."""

from typing import Any

import segno
from django.conf import settings
from django.contrib import auth, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST
from django.views.i18n import set_language

from unionaid.accounts import second_factor, services, stepup
from unionaid.accounts.forms import CodeForm, FactorForm, LoginForm, PasswordForm
from unionaid.accounts.models import User
from unionaid.web.access import public


@public
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def login(request: HttpRequest) -> HttpResponse:
    """Log in with any number and the password; the session gets a new key."""
    form = LoginForm(request.POST or None, initial={"next": request.GET.get("next", "")})
    if request.method == "POST" and form.is_valid():
        user = auth.authenticate(
            request, username=form.cleaned_data["username"], password=form.cleaned_data["password"]
        )
        if user is not None and not services.is_over(user):
            auth.login(request, user)
            return redirect(_safe_next(request, form.cleaned_data["next"]))
        if user is not None:
            form.add_error("password", _("系统管理员为您设的密码已经过期，请联系系统管理员重设"))
            return render(request, "accounts/login.html", {"form": form}, status=400)
        if getattr(request, "axes_locked_out", False):
            return locked_out(request)
        form.add_error("password", _("号码或密码不对，请对照后再输一遍；忘记密码请联系单位经办人或办事处重置"))
    return render(request, "accounts/login.html", {"form": form}, status=400 if form.errors else 200)


@public
@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    """End the session."""
    auth.logout(request)
    return redirect("home")


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def change_password(request: HttpRequest) -> HttpResponse:
    """Change one's own password and stay logged in here. Whose password somebody else chose comes here first, and goes on from here."""
    if not request.user.is_authenticated:
        return redirect("login")
    given = request.user.password_given_at is not None
    form = PasswordForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        services.set_password(request.user, form.cleaned_data["new"])
        auth.update_session_auth_hash(request, request.user)
        messages.success(request, _("密码已更改。"))
        return redirect(_safe_next(request, request.GET.get("next", "")))
    return render(request, "accounts/password.html", {"form": form, "given": given}, status=400 if form.errors else 200)


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def second_factor_page(request: HttpRequest) -> HttpResponse:
    """Set up an authenticator for one's own log-in, or take it off: by the password and a code of it. Staff who have one and were let in by
    the password alone type its code first."""
    user: Any = request.user
    if not user.is_authenticated:
        return redirect("login")
    if user.has_second_factor and request.actor.is_staff_post and not second_factor.is_passed(user, request.session):  # type: ignore[attr-defined]
        return _ask_code(request, user)
    if request.POST.get("act") == "begin":
        second_factor.begin(user)
        return redirect(request.get_full_path())
    form = FactorForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _factor_changed(request, user, form):
        return _go_on(request) if user.has_second_factor else redirect("second_factor")
    pending = user.totp_key is not None and not user.has_second_factor
    code = segno.make(second_factor.address(user, _("职工互助")), error="m").png_data_uri(scale=5, border=2) if pending else ""
    must = settings.SECOND_FACTOR_REQUIRED and request.actor.needs_second_factor  # type: ignore[attr-defined]
    letters = second_factor.begin(user) if pending else ""
    shown = {"form": form, "pending": pending, "code": code, "letters": letters, "must": must}
    return render(request, "accounts/second_factor.html", shown, status=400 if form.errors else 200)


def _ask_code(request: HttpRequest, user: User) -> HttpResponse:
    """The code after a log-in by password."""
    form, status = CodeForm(request.POST or None), 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            wrong = stepup.let_in(user, request.session.session_key or "", code=form.cleaned_data["code"])
            if wrong is None:
                second_factor.remember(user, request.session)
                return _go_on(request)
            form.add_error(wrong.field, wrong.message)
            status = 429 if wrong.too_often else 400
    return render(request, "accounts/second_factor_code.html", {"form": form}, status=status)


def _go_on(request: HttpRequest) -> HttpResponse:
    """To the page that was wanted before the code was."""
    target = _safe_next(request, request.GET.get("next", ""))
    return redirect("second_factor" if target == "home" else target)


def _factor_changed(request: HttpRequest, user: User, form: FactorForm) -> bool:
    """Confirmed with the first right code, or taken off with one; else the form says what is wrong."""
    had, said = user.has_second_factor, form.cleaned_data
    wrong = stepup.prove(user, request.session.session_key or "", password=said["password"], code=said["code"])
    if wrong is not None:
        form.add_error(wrong.field, wrong.message)
    elif had:
        second_factor.drop(user)
        user.refresh_from_db(fields=["totp_since"])
        messages.success(request, _("动态验证码已停用。"))
    elif second_factor.confirm(user, said["code"]):
        second_factor.remember(user, request.session)
        messages.success(request, _("动态验证码已启用，登录工作台和办资金的事时会用到。"))
    else:
        form.add_error("code", _("数字不对。请看手机时间是否准确，再输入新的 6 位数字"))
    return not form.errors


second_factor_page.required = ""  # type: ignore[attr-defined]  # any logged-in person; checked above
change_password.required = ""  # type: ignore[attr-defined]  # any logged-in person; checked above


@public
def choose_language(request: HttpRequest) -> HttpResponse:
    """Pages in this language from now on, for someone logged in notices too."""
    language = request.POST.get("language", "")
    if request.user.is_authenticated and language in dict(settings.LANGUAGES):
        services.speak(request.user, language)
    return set_language(request)


def locked_out(request: HttpRequest, *_args: Any, **_kwargs: Any) -> HttpResponse:
    """Too many wrong passwords from here: wait a quarter of an hour."""
    return render(request, "accounts/locked_out.html", status=429)


def _safe_next(request: HttpRequest, target: str) -> str:
    allowed = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return target if target and allowed else "home"
