"""Form fields that call the house's own normalisers, so that forms, imports and searches agree."""

from collections.abc import Callable
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from unionaid.lib import calendar, identity, money, uploads


class _Normalised(forms.CharField):
    """A text that a function of `lib` turns into its one form or refuses with a sentence."""

    normalise: Callable[[str], Any]

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if text in self.empty_values:
            return text
        try:
            return type(self).normalise(text)
        except (identity.IdentityError, money.MoneyError, calendar.DateError) as error:
            raise ValidationError(_(str(error)), code="invalid") from error

    def prepare_value(self, value: Any) -> Any:
        return value


class IdNumberField(_Normalised):
    """A resident ID number; the clean value is an IdNumber."""

    @staticmethod
    def normalise(text: str) -> identity.IdNumber:
        return identity.parse_id_number(text, on=calendar.today())

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.TextInput(attrs={"inputmode": "text", "autocomplete": "off"}))
        super().__init__(max_length=40, **kwargs)


class PhoneField(_Normalised):
    normalise = staticmethod(identity.parse_phone)

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "tel"}))
        super().__init__(max_length=30, **kwargs)


class NameField(_Normalised):
    normalise = staticmethod(identity.parse_person_name)

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.TextInput(attrs={"autocomplete": "name"}))
        super().__init__(max_length=80, **kwargs)


class CreditCodeField(_Normalised):
    normalise = staticmethod(identity.parse_credit_code)


class BankCardField(_Normalised):
    """An account number; the clean value is the digits."""

    @staticmethod
    def normalise(text: str) -> str:
        return identity.parse_bank_card(text).number

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}))
        super().__init__(max_length=50, **kwargs)


class YuanField(_Normalised):
    """An amount in yuan as people type it; the clean value is fen."""

    normalise = staticmethod(money.parse_yuan)

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}))
        super().__init__(max_length=40, **kwargs)


class DayField(_Normalised):
    """A calendar day as people type it."""

    normalise = staticmethod(calendar.parse_date)

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
        super().__init__(max_length=40, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return value.isoformat() if isinstance(value, date) else value


class PaperField(forms.FileField):
    """A photo or a PDF; the clean value is a harmless copy (`lib.uploads.CleanUpload`)."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.FileInput(attrs={"accept": "image/*,application/pdf"}))
        words = {"required": _("请选择照片或 PDF 文件"), "empty": _("文件是空的，请重新拍照或选择文件")}
        kwargs.setdefault("error_messages", words)
        super().__init__(**kwargs)

    def clean(self, data: Any, initial: Any = None) -> Any:
        upload = super().clean(data, initial)
        if not upload:
            return upload
        if upload.size > uploads.MAX_BYTES:
            raise ValidationError(_("文件超过 10 MB，请拍得小一些或分开上传"), code="invalid")
        try:
            return uploads.inspect(upload.read(), upload.name)
        except uploads.UploadError as error:
            raise ValidationError(_(str(error)), code="invalid") from error
