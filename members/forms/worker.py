"""Forms of this room: they check the shape of what is typed; services decide."""

from typing import Any

from django import forms
from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from unionaid.web.fields import IdNumberField, NameField, PhoneField


class SignUpForm(forms.Form):
    """Who the worker is, and a password."""

    name = NameField(label=_("姓名"), help_text=_("和身份证上一样"), error_messages={"required": _("请填写姓名")})
    id_number = IdNumberField(label=_("身份证号"), error_messages={"required": _("请填写身份证号")})
    phone = PhoneField(label=_("手机号"), error_messages={"required": _("请填写手机号")})
    password = forms.CharField(
        label=_("密码"), max_length=200, widget=forms.PasswordInput(), help_text=_("至少 8 个字符，不要用常见密码"),
        error_messages={"required": _("请填写密码")},
    )  # fmt: skip

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        password_validation.validate_password(password)
        return password

    def refuse(self, message: Any) -> None:
        """Show a service's refusal at the top of the form."""
        self.add_error(None, ValidationError(message))
