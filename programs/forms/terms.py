"""Forms of the desk's work on terms: a plan file as it is written, an act on terms, with which others they are compared."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from programs.rules.planfile import MAX_BYTES
from unionaid.web.asking import KeyedForm


class DraftForm(KeyedForm):
    """A plan file, chosen or pasted; of both the chosen file counts."""

    file = forms.FileField(
        label=_("选择计划文件"), required=False, help_text=_("扩展名 .yaml，UTF-8 编码，不超过 256 KB"),
        widget=forms.FileInput(attrs={"accept": ".yaml,.yml,text/yaml,application/yaml"}),
        error_messages={"empty": _("文件是空的，请重新选择"), "invalid": _("请选择一个计划文件")},
    )  # fmt: skip
    text = forms.CharField(
        label=_("或者在这里粘贴、修改计划文件的内容"), required=False, strip=False, max_length=MAX_BYTES,
        widget=forms.Textarea(attrs={"rows": 24, "spellcheck": "false", "wrap": "off", "class": "file-text"}),
        error_messages={"max_length": _("内容太长，计划文件最多 256 KB")},
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or {}
        if not said.get("file") and not said.get("text", "").strip() and not self.errors:
            raise ValidationError(_("请选择计划文件，或者粘贴它的内容"))
        return said

    def plan_file(self) -> tuple[bytes, str]:
        """The bytes of the plan file and what it is called."""
        upload = self.cleaned_data.get("file")
        if upload:
            return upload.read(MAX_BYTES + 1), str(upload.name)[:100]
        return self.cleaned_data["text"].replace("\r\n", "\n").encode("utf-8", "replace"), str(_("粘贴的内容"))

    def keep(self, raw: bytes) -> None:
        """Show the text of the file in the form, so that it can be put right there."""
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            text = raw.decode("gb18030", "replace")  # what an editor on a Chinese desk writes unless told otherwise
        self.data = {**self.data.dict(), "text": text.replace("\x00", "")[:MAX_BYTES]}


class ActForm(KeyedForm):
    """One act on terms as they were looked at."""

    act = forms.ChoiceField(
        choices=[(name, "") for name in ("check", "reopen", "publish", "close")],
        error_messages={"required": _("请选择要办理的事"), "invalid_choice": _("请选择要办理的事")},
    )
    seen = forms.IntegerField(min_value=1, max_value=2**31 - 1, error_messages=dict.fromkeys(
        ("required", "invalid", "min_value", "max_value"), _("页面已经过期，请刷新后再办理")
    ))  # fmt: skip
    sure = forms.BooleanField(required=False)

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or {}
        if said.get("act") in ("publish", "close") and not said.get("sure"):
            raise ValidationError(_("这一步办了就不能撤回。请核对后勾选确认，再办理。"))
        return said


class CompareForm(forms.Form):
    """With which other terms."""

    other = forms.ChoiceField(label=_("与哪一期对比"), error_messages={"invalid_choice": _("请在列出的期次里选择")})

    def __init__(self, data: Any, *, choices: Sequence[tuple[int, str]]) -> None:
        super().__init__(data)
        self.fields["other"].choices = choices  # type: ignore[attr-defined]
