"""Forms about a person's record: where notices go, what is to be corrected, a change of unit."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from members.forms.unit import PapersField
from members.models import Departure
from members.services.corrections import Wanted
from unionaid.web.asking import AskForm, KeyedForm, PastDayField
from unionaid.web.fields import CreditCodeField, IdNumberField, NameField


class ContactForm(AskForm):
    """An e-mail address for notices, if one wants to give one."""

    email = forms.EmailField(
        label=_("电子邮箱（可以不填）"), required=False, max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "email", "inputmode": "email"}),
        help_text=_("填了邮箱，通知也会发到邮箱；不想再收，清空后保存"),
        error_messages={"invalid": _("邮箱写得不对，例如 name@example.cn"), "max_length": _("邮箱太长，请核对")},
    )  # fmt: skip


class CorrectionForm(KeyedForm):
    """What is right: only what is wrong in the record is filled in."""

    name = NameField(label=_("正确的姓名"), required=False, help_text=_("没有错的不用填"))
    id_number = IdNumberField(label=_("正确的身份证号"), required=False, help_text=_("没有错的不用填"))
    birth_date = PastDayField(label=_("正确的出生日期"), required=False, help_text=_("身份证号对、只有出生日期登记错了才填"))
    reason = forms.CharField(
        label=_("说明（可以不填）"), required=False, max_length=300, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("例如：单位名册把名字写错了；户口改过名"), error_messages={"max_length": _("说明不超过 300 字")},
    )  # fmt: skip
    paper = PapersField(
        label=_("身份证或户口簿的照片（可以多选）"), help_text=_("拍身份证正面；改过名的，再拍户口簿的变更页。只有办事处核对的人能看到"),
        error_messages={"required": _("请上传身份证或户口簿的照片"), "empty": _("文件是空的，请重新拍照或选择文件")},
    )  # fmt: skip

    def wanted(self) -> Wanted:
        told: dict[str, Any] = self.cleaned_data
        return Wanted(told["name"] or "", told["id_number"] or None, told["birth_date"] or None)


class DepartureForm(KeyedForm):
    """What changes, from which day, and where the person goes."""

    kind = forms.ChoiceField(
        label=_("发生了什么变动？"), choices=Departure.Kind.choices, widget=forms.RadioSelect,
        error_messages={"required": _("请选择一项"), "invalid_choice": _("请在下面选择一项")},
    )  # fmt: skip
    on = PastDayField(
        label=_("变动日期"), help_text=_("从这一天起不再在本单位；还没到的，到那天再来办"), error_messages={"required": _("请填写变动日期")}
    )
    to_code = CreditCodeField(
        label=_("新单位的统一社会信用代码"), max_length=40, required=False, help_text=_("只有调到其他单位时才填；新单位要已登记")
    )
    note = forms.CharField(
        label=_("说明（可以不填）"), required=False, max_length=300, error_messages={"max_length": _("说明不超过 300 字")}
    )

    def clean(self) -> dict[str, Any]:
        told = super().clean() or {}
        if told.get("kind") == "transfer" and "to_code" not in self.errors and not told.get("to_code"):
            self.add_error("to_code", _("请填写新单位的统一社会信用代码"))
        return told


class AnswerForm(AskForm):
    """The new unit's answer, or the old one's taking back."""

    decision = forms.ChoiceField(
        choices=[("accept", ""), ("decline", ""), ("withdraw", "")],
        error_messages={"required": _("请选择接收或不接收"), "invalid_choice": _("请选择接收或不接收")},
    )
    note = forms.CharField(
        label=_("不接收的原因（不接收时必填，原单位会看到）"), required=False, max_length=300, widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"max_length": _("说明不超过 300 字")},
    )  # fmt: skip
