"""What an office sets for its review, at the desk: time limits and bulk approval; the texts it writes stand there too."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from claims.admin.wordings import chosen, letter_page, offices_of, reason_page, written_for
from claims.admin.words import standing_words
from claims.models import COOLING_DAYS, SOON_DAYS, STEP_DAYS, USUAL_STEP_DAYS, ReviewRule
from claims.services import rules as services
from claims.transitions import APPEAL_STEP, TIMED
from unionaid.lib.money import format_yuan
from unionaid.offices.access import actor
from unionaid.offices.desk import HouseAdmin, Link, desk_context, list_of
from unionaid.offices.lists import column
from unionaid.web.asking import AskForm
from unionaid.web.fields import YuanField
from unionaid.workflow.asking import attempt

NUMBER = {
    "invalid": _("请填写整数"),
    "required": _("请填写"),
    "min_value": _("不能小于 %(limit_value)s"),
    "max_value": _("不能大于 %(limit_value)s"),
}


class RuleForm(AskForm):
    """The rule of one office; the offices below it without a rule of their own follow it."""

    seen = forms.IntegerField(widget=forms.HiddenInput(), min_value=0, max_value=2**31 - 1, error_messages=NUMBER)
    bulk_limit = YuanField(
        label=_("批量批准、批量核定的金额上限（元，含）"),
        help_text=_("没有疑点、不超过这个金额的申领可以批量批准；条款允许一个人核定的，初审可以批量核定。填 0 就都要逐件办理"),
    )
    soon_days = forms.IntegerField(
        label=_("参加后多少天内出险要提示"), min_value=0, max_value=3650, error_messages=NUMBER, help_text=_("填 0 就不提示")
    )

    cooling_days = forms.IntegerField(
        label=_("收款账户更改后几天才付款"), min_value=0, max_value=30, error_messages=NUMBER,
        help_text=_("这几天里本人可以说“不是我改的”；一般 3 天，周五改的周一才付"),
    )  # fmt: skip

    def __init__(self, data: Any, *, rule: ReviewRule | None) -> None:
        days = rule.step_days if rule else {}
        initial = {
            "seen": rule.version if rule else 0,
            "bulk_limit": format_yuan(rule.bulk_limit_fen if rule else 0).replace(",", ""),
            "soon_days": rule.soon_days if rule else SOON_DAYS,
            "cooling_days": rule.cooling_days if rule else COOLING_DAYS,
            **{f"days_{step}": days.get(step, USUAL_STEP_DAYS.get(step, STEP_DAYS)) for step in TIMED},
        }
        super().__init__(data, initial=initial)
        for step in TIMED:
            standing = gettext("申诉待复核") if step == APPEAL_STEP else standing_words(step)
            label = gettext("“{standing}”的办理时限（工作日）").format(standing=standing)
            hint = gettext("职工页面上“一般在哪天前办完”也按这个天数说")
            self.fields[f"days_{step}"] = forms.IntegerField(
                label=label, min_value=1, max_value=60, error_messages=NUMBER, help_text=hint if step == TIMED[0] else ""
            )

    def step_days(self) -> dict[str, int]:
        return {step: self.cleaned_data[f"days_{step}"] for step in TIMED}


def rule_page(request: HttpRequest) -> HttpResponse:
    """Choose an office, read its rule, change it."""
    by = actor(request)
    offices = offices_of(by)
    office = chosen(offices, request.GET.get("office"))
    rule = ReviewRule.objects.filter(office=office).first()
    form = RuleForm(request.POST if request.method == "POST" else None, rule=rule)
    if form.is_valid():
        said = form.cleaned_data

        def act() -> str:
            days = {"soon_days": said["soon_days"], "cooling_days": said["cooling_days"], "step_days": form.step_days()}
            services.set_rule(office, bulk_limit_fen=said["bulk_limit"] or 0, **days, seen=said["seen"], by=by)
            return f"{reverse('admin:review_rule')}?office={office.pk}"

        if address := attempt(form, act):
            messages.success(request, gettext("{office}的审核设置已保存。").format(office=office.name))
            return redirect(address)
    context = {"form": form, "office": office, "offices": offices, "is_own": rule is not None, **written_for(by, office)}
    shown = desk_context(request, trail=[list_of(ReviewRule)], title=gettext("{office}的审核设置").format(office=office.name), **context)
    return render(request, "desk/review_rule.html", shown, status=form.status if form.errors else 200)


@admin.register(ReviewRule)
class ReviewRuleAdmin(HouseAdmin):
    """The offices that have a rule of their own."""

    view_action = "claims.set_rules"
    section, place = "claims", 40
    title = _("审核设置")
    list_hint = _(
        "办理时限、批量办理的上限、提示的天数，不予给付的原因和补件模板。没有单独设置的机构，沿用上级机构的设置；"
        "都没有的，每一步 5 个工作日，不能批量批准、批量核定。"
    )
    empty_hint = _("还没有机构单独设置过。")
    list_links = (Link(_("修改审核设置"), "admin:review_rule", "claims.set_rules"),)
    desk_urls = (
        ("set/", "review_rule", "claims.set_rules", rule_page),
        ("letters/", "review_letter", "claims.set_rules", letter_page),
        ("reasons/", "review_reason", "claims.set_rules", reason_page),
    )
    list_display = (column("office", _("机构")), "bulk", "soon_days")
    list_select_related = ("office",)
    ordering = ("office__path",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReviewRule]:
        return super().get_queryset(request).filter(office__in=actor(request).office_ids)

    @admin.display(description=_("批量批准的上限（元）"))
    def bulk(self, rule: ReviewRule) -> str:
        return format_yuan(rule.bulk_limit_fen) if rule.bulk_limit_fen else gettext("不能批量批准")
