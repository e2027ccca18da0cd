"""What two system administrators do together at the desk: the second look at a post by which money is decided on or let go, and at the
taking away of an authenticator; and what is said to the first when the second does not agree."""

from collections.abc import Iterable

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from unionaid.accounts.models import User
from unionaid.offices import appointing
from unionaid.offices.desk import desk_context, list_of
from unionaid.offices.first_page import Word, told
from unionaid.offices.models import FactorDrop, Refusal, StaffPost
from unionaid.offices.roles import Actor


class WhyForm(forms.Form):
    """Why what another administrator asked for is not done; whoever takes back their own need not say."""

    why = forms.CharField(
        label=_("不同意的原因（提出的人会看到；不同意时必填）"), max_length=200, required=False, widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"max_length": _("原因不超过 200 字")},
    )  # fmt: skip

    def said(self, *, own: bool) -> bool:
        """Is it said, where it has to be? What is missing stands at the form."""
        if self.is_valid() and not own and not self.cleaned_data["why"]:
            self.add_error("why", gettext("请写明不同意的原因，提出的人会看到"))
        return not self.errors


def confirm_post(request: HttpRequest, post: StaffPost, actor: Actor) -> HttpResponse:
    """The second look at a post by which money is decided on or let go."""
    refused, answer, form = "", request.POST.get("answer", ""), WhyForm(request.POST or None)
    mine = actor.user_id == post.given_by_id
    if answer == "yes" or answer and form.said(own=mine):
        try:
            _answered(post, form, actor, yes=answer == "yes")
            messages.success(request, gettext("已确认，岗位生效。") if answer == "yes" else gettext("没有任命。"))
            return redirect("admin:offices_staffpost_changelist")
        except appointing.NotBySamePerson as no:
            refused = str(no)
    title = gettext("{name}：{post}").format(name=post.user.display_name, post=post)
    context = desk_context(request, trail=[list_of(StaffPost)], title=title, post=post, refused=refused, form=form)
    context |= {"mine": mine, "own": mine or actor.user_id == post.user_id}
    return render(request, "desk/post_confirm.html", context, status=403 if refused else 400 if answer else 200)


def _answered(post: StaffPost, form: WhyForm, actor: Actor, *, yes: bool) -> None:
    if yes:
        appointing.confirm(post, by=actor)
    else:
        appointing.refuse(post, by=actor, why=form.cleaned_data["why"])


# What is said when it is done: asked for by one, done or not by another.
FACTOR_ACTS = {
    "ask": _("已提出，要由另一位系统管理员确认后才解除。"),
    "confirm": _("动态验证码已解除。"),
    "keep": _("没有解除，动态验证码照旧。"),
}


def factor_act(request: HttpRequest, user: User, asked: FactorDrop | None, form: WhyForm, actor: Actor) -> int:
    """What becomes of the asking to take an authenticator away; who does not do it says why, unless they asked for it themselves."""
    act = request.POST.get("drop_factor", "")
    own = asked is None or asked.asked_by_id == actor.user_id
    if act not in FACTOR_ACTS or act == "keep" and not form.said(own=own):
        return 400
    try:
        _carry_out(act, user, form, actor)
        messages.success(request, str(FACTOR_ACTS[act]))
    except appointing.NotBySamePerson as no:
        messages.error(request, str(no))
    return 302


def _carry_out(act: str, user: User, form: WhyForm, actor: Actor) -> None:
    if act == "ask":
        appointing.ask_to_drop_factor(user, by=actor)
    elif act == "confirm":
        appointing.drop_factor(user, by=actor)
    else:
        appointing.keep_factor(user, by=actor, why=form.cleaned_data["why"])


@require_POST
def read_refusal(request: HttpRequest, pk: int) -> HttpResponse:
    """Whoever was refused has read why."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    appointing.put_away(get_object_or_404(appointing.refusals_of(actor), pk=pk), by=actor)
    return redirect("admin:index")


@told("accounts.manage")
def refused_askings(actor: Actor) -> Iterable[Word]:
    """What this administrator asked for and another did not do: why, and what next."""
    for one in appointing.refusals_of(actor):
        name, by = one.user.display_name, one.by.display_name if one.by else gettext("系统")
        page, read = reverse("admin:account", args=[one.user_id]), reverse("admin:refusal_read", args=[one.pk])
        if one.what == Refusal.What.POST:
            text = gettext("您提出的任命（{name}：{office} · {role}），{by}没有同意。")
            text = text.format(name=name, office=one.office, role=one.get_role_display(), by=by)
            yield Word(text, one.why, _("和对方核对清楚；仍要任命的，到这个人的账号页面重新提出。"), page, read)
        else:
            text = gettext("您提请解除{name}的动态验证码，{by}没有解除。").format(name=name, by=by)
            yield Word(text, one.why, _("再核对一次是不是本人；确实是本人丢了手机的，到这个人的账号页面重新提请。"), page, read)
