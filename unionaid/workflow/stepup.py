"""Step-up at the page of an act that lets money out: what is asked of the person, and the actor who has proved it."""

from dataclasses import replace
from typing import Any

from django import forms
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from unionaid.accounts import stepup
from unionaid.accounts.models import User
from unionaid.offices.roles import Actor
from unionaid.web.asking import AskForm
from unionaid.workflow.moves import record


def ask(form: AskForm, request: HttpRequest, *, required: bool = True) -> None:
    """Let the form ask for the password, and for the code where there is a second factor; for nothing while a proof is fresh. Not
    `required`: the form was not sent for the act that wants it."""
    user: Any = request.user
    if stepup.is_fresh(user, request.session.session_key or ""):
        return
    form.fields["password"] = forms.CharField(
        label=_("您的登录密码"), required=required, max_length=200, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        help_text=_("这一步关系到资金或个人信息，请再证明一次是您本人；5 分钟内再办这类事不用重输。"),
        error_messages={"required": _("请再输一次登录密码，证明是您本人")},
    )  # fmt: skip
    if user.has_second_factor:
        form.fields["code"] = forms.CharField(
            label=_("动态验证码"), required=required, max_length=10,
            widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
            help_text=_("验证器上的 6 位数字"), error_messages={"required": _("请输入验证器上的 6 位数字")},
        )  # fmt: skip


def prove(form: AskForm, request: HttpRequest, thing: Model, by: Actor) -> Actor | None:
    """The actor, proven, when the valid form that `ask` made holds the proof or none was needed; else None, and the form says why. How it
    went is on the record of `thing`."""
    if "password" not in form.fields:
        return replace(by, proven=True)
    user, said = request.user, form.cleaned_data
    assert isinstance(user, User)  # a page of the desk
    wrong = stepup.prove(user, request.session.session_key or "", password=said["password"], code=said.get("code", ""))
    record([thing], "prove_wrongly" if wrong else "prove", by=by)
    if wrong is None:
        return replace(by, proven=True)
    form.refuse(wrong.message, wrong.field)
    form.status = 429 if wrong.too_often else 400
    return None
