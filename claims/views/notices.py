"""The public notice: what was decided, masked, and a way to say that something is not right."""

import uuid

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from claims.models import Claim
from claims.selectors.notices import noticed, on_notice
from claims.services import public_notice
from unionaid.lib.calendar import today
from unionaid.offices.access import actor, requires
from unionaid.web.access import public
from unionaid.web.asking import KeyedForm, pages
from unionaid.web.fields import PhoneField
from unionaid.workflow.asking import attempt_once

_show = pages("claims/public")


class ObjectionForm(KeyedForm):
    """What is not right, and how to reach whoever says so."""

    text = forms.CharField(
        label=gettext_lazy("您认为哪里不属实"), max_length=1000, widget=forms.Textarea(attrs={"rows": 5}),
        help_text=gettext_lazy("写清楚时间、地点和您怎么知道的。只有核实的工作人员看得到。"),
        error_messages={"required": gettext_lazy("请写明哪里不属实")},
    )  # fmt: skip
    phone = PhoneField(label=gettext_lazy("联系电话（可不填）"), required=False, help_text=gettext_lazy("核实时可能要问您"))


@public
@never_cache
def notices(request: HttpRequest) -> HttpResponse:
    """What is on notice now, for everybody."""
    return _show(request, "notices", notices=on_notice(on=today(), page=request.GET.get("page", "")))


@requires("objections.raise")
@never_cache
def object_to(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Whoever is logged in says what is not right."""
    found = noticed(public_id, on=today())
    if found is None:
        raise Http404
    claim, notice = found
    form = ObjectionForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid() and (address := attempt_once(request, form, lambda: _take(request, claim, form))):
        return redirect(address)
    return _show(request, "object", form, notice=notice)


def _take(request: HttpRequest, claim: Claim, form: ObjectionForm) -> str:
    said, by = form.cleaned_data, actor(request)
    name = request.user.display_name  # type: ignore[union-attr]
    public_notice.object_to(claim, name=name, text=said["text"], phone=str(said["phone"] or ""), by=by, on=today())
    messages.success(request, _("已收到您的异议。办事处会安排没有经办过的人核实，核实之前不会付款。"))
    return reverse("claims:notices")
