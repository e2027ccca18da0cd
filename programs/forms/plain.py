"""Plain fields of a case that is tried: all may be left empty."""

from collections.abc import Mapping

from django import forms
from django.utils.translation import gettext_lazy as _

from programs.rules.words import Words
from unionaid.web.asking import Text
from unionaid.web.fields import DayField, YuanField


def day(label: Text, help_text: Text = "") -> DayField:
    return DayField(label=label, help_text=help_text, required=False)


def amount(label: Text, help_text: Text = "") -> YuanField:
    return YuanField(label=label, help_text=help_text, required=False)


def text(label: Text, help_text: Text = "") -> forms.CharField:
    words = {"max_length": _("太长了，最多 100 个字")}
    return forms.CharField(label=label, help_text=help_text, max_length=100, required=False, error_messages=words)


def whole(label: Text, most: int, help_text: Text = "", *, least: int = 0) -> forms.IntegerField:
    words = _("请填 {least} 到 {most} 之间的整数").format(least=least, most=most)
    return forms.IntegerField(
        label=label, help_text=help_text, min_value=least, max_value=most, required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages=dict.fromkeys(("invalid", "min_value", "max_value"), words),
    )  # fmt: skip


def choice(label: Text, options: Mapping[str, Words], language: str, *, required: bool = False) -> forms.Field:
    """One of a few; unless it is required, none may be chosen."""
    choices = [(code, words.in_language(language)) for code, words in options.items()]
    words = {"required": _("请选择一项"), "invalid_choice": _("请在列出的项目里选择")}
    return forms.ChoiceField(
        label=label, choices=choices if required else [("", _("不填")), *choices], required=required, error_messages=words
    )
