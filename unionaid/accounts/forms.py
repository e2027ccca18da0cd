"""Forms of the log-in pages."""

from typing import Any

from django import forms
from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from unionaid.accounts.models import User


class LoginForm(forms.Form):
    """Any number the person remembers, and the password."""

    username = forms.CharField(
        label=_("身份证号、手机号或工号"),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autofocus": True}),
        error_messages={"required": _("请填写身份证号、手机号或工号")},
    )
    password = forms.CharField(
        label=_("密码"),
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": _("请填写密码")},
    )
    next = forms.CharField(required=False, widget=forms.HiddenInput())


class CodeForm(forms.Form):
    """The code that the authenticator shows now."""

    code = forms.CharField(
        label=_("验证器上的 6 位数字"), max_length=10,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
        error_messages={"required": _("请填写验证器上的 6 位数字")},
    )  # fmt: skip


class FactorForm(CodeForm):
    """The password, and the code."""

    password = forms.CharField(
        label=_("登录密码"), max_length=200, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": _("请填写登录密码")},
    )  # fmt: skip
    field_order = ("password", "code")


class PasswordForm(forms.Form):
    """A new password, asked twice; the old one once."""

    old = forms.CharField(label=_("现在的密码"), max_length=200, widget=forms.PasswordInput())
    new = forms.CharField(
        label=_("新密码"), max_length=200, widget=forms.PasswordInput(), help_text=_("至少 8 个字符，不要用常见密码")
    )
    again = forms.CharField(label=_("再输一遍新密码"), max_length=200, widget=forms.PasswordInput())

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_old(self) -> str:
        old: str = self.cleaned_data["old"]
        if not self.user.check_password(old):
            raise ValidationError(_("现在的密码不对，请再输一遍"))
        return old

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("new") and values.get("new") != values.get("again"):
            self.add_error("again", _("两次输入的新密码不一样，请再输一遍"))
        elif values.get("new") and values.get("new") == values.get("old"):
            self.add_error("new", _("新密码要和现在的不一样"))
        elif values.get("new"):
            try:
                password_validation.validate_password(values["new"], self.user)
            except ValidationError as error:
                self.add_error("new", error)
        return values
