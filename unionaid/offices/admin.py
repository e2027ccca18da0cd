"""The house itself at the desk: offices, who works where, and the staff's log-ins. For the system administrator."""

import datetime
from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.password_validation import validate_password
from django.db import IntegrityError
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from unionaid.accounts.models import User
from unionaid.accounts.services import GIVEN_HOLDS, LoginTaken, register, set_password
from unionaid.lib.calendar import today
from unionaid.offices import appointing
from unionaid.offices.desk import HouseAdmin, Link, badge, desk_context, list_of, remember
from unionaid.offices.first_page import Todo, Words, todo, waiting
from unionaid.offices.lists import column
from unionaid.offices.models import FactorDrop, Office, StaffPost
from unionaid.offices.roles import LABELS, STAFF, Actor
from unionaid.offices.second_looks import WhyForm, confirm_post, factor_act, read_refusal
from unionaid.offices.selectors import offices_below
from unionaid.web.fields import DayField, NameField


class OfficeForm(forms.ModelForm):  # type: ignore[type-arg]
    """The words and numbers of an office; its place in the tree does not change here."""

    class Meta:
        model = Office
        fields = ("name", "phone", "account_name", "account_number", "bank_name", "bank_format")
        labels = {"phone": _("咨询电话（职工会看到）"), "account_number": _("收款账号（职工缴费时看到）")}


class PostForm(forms.Form):
    """Who takes which role where, from when."""

    username = forms.CharField(label=_("登录名"), max_length=40, error_messages={"required": _("请填写登录名")})
    office = forms.ModelChoiceField(
        label=_("机构"),
        queryset=Office.objects.none(),
        error_messages={"required": _("请选择机构"), "invalid_choice": _("请选择列出的机构")},
    )
    role = forms.ChoiceField(
        label=_("角色"), choices=[(role.value, LABELS[role]) for role in STAFF], error_messages={"invalid_choice": _("请选择列出的角色")}
    )
    since = DayField(label=_("任职日期"), error_messages={"required": _("请填写任职日期")})

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor = actor
        self.fields["office"].queryset = offices_below(actor).order_by("path")  # type: ignore[attr-defined]

    def clean_username(self) -> User:
        user = User.objects.filter(username=self.cleaned_data["username"].strip(), id_hash__isnull=True, is_active=True).first()
        if user is None:
            raise forms.ValidationError(_("没有这个工作人员账号，请先新建账号"))
        if user.pk == self.actor.user_id:
            raise forms.ValidationError(_("不能任命自己，请由另一位系统管理员办理"))
        return user


class EndForm(forms.Form):
    """From which day the post is no longer held."""

    until = DayField(label=_("离任日期（从这一天起不再任职）"), error_messages={"required": _("请填写离任日期")})


class LoginForm(forms.Form):
    """A log-in for a member of staff or a unit's agent."""

    username = forms.RegexField(
        r"^[A-Za-z][A-Za-z0-9-]{2,30}$", label=_("登录名"), help_text=_("字母开头，字母、数字和短横，3 到 31 位，例如 s-wang"),
        error_messages={"required": _("请填写登录名"), "invalid": _("登录名要字母开头，只用字母、数字和短横，3 到 31 位")},
    )  # fmt: skip
    display_name = NameField(label=_("姓名"), error_messages={"required": _("请填写姓名")})
    password = forms.CharField(
        label=_("初始密码"), help_text=_("至少 8 位；本人第一次登录时必须改掉，7 天不改就失效"), max_length=128, min_length=8, strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={"required": _("请填写初始密码"), "min_length": _("密码至少 8 位")},
    )  # fmt: skip

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        validate_password(password)
        return password


class PasswordForm(forms.Form):
    """A new first password."""

    password = LoginForm.base_fields["password"]
    clean_password = LoginForm.clean_password


def manageable(actor: Actor) -> QuerySet[User]:
    """The log-ins of staff and agents whose every post lies where this person works, or who have none."""
    elsewhere = StaffPost.objects.exclude(office__in=actor.office_ids).values("user")
    return User.objects.filter(id_hash__isnull=True).exclude(pk__in=elsewhere)


def _status(request: HttpRequest) -> int:
    """Of a page with a form: what was sent and is shown again was wrong."""
    return 400 if request.method == "POST" else 200


def _form_page(request: HttpRequest, form: forms.Form, *, of: type[Model], title: Words, submit: Words) -> HttpResponse:
    context = desk_context(request, trail=[list_of(of)], title=title, form=form, submit=submit)
    return render(request, "desk/house_form.html", context, status=_status(request))


def office_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One office: what workers see of it, and who works there."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    office = get_object_or_404(offices_below(actor).select_related("parent"), pk=pk)
    form = OfficeForm(request.POST or None, instance=office)
    if form.is_valid():
        form.save()
        remember(office, "change_office", by=actor, note="、".join(str(form.fields[name].label) for name in form.changed_data))
        messages.success(request, gettext("已保存。"))
        return redirect("admin:office", pk)
    posts = StaffPost.objects.filter(office=office).select_related("user").order_by("role", "since")[:200]
    context = desk_context(
        request, trail=[list_of(Office)], title=office.name, office=office, form=form, posts=posts, on=today()
    )
    return render(request, "desk/office.html", context, status=_status(request))


def give_post(request: HttpRequest) -> HttpResponse:
    """A person takes a role at an office."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    initial = {"username": request.GET.get("username", "")[:40], "since": today()}
    form = PostForm(request.POST or None, actor=actor, initial=initial)
    if form.is_valid() and (post := _given(form, actor)):
        waits = gettext("已提出任命，要由另一位系统管理员确认后才生效。")
        messages.success(request, gettext("已任命。") if post.confirmed_at else waits)
        return redirect("admin:offices_staffpost_changelist")
    return _form_page(request, form, of=StaffPost, title=_("任命岗位"), submit=_("任命"))


def _given(form: PostForm, actor: Actor) -> StaffPost | None:
    said = form.cleaned_data
    try:
        return appointing.give(user=said["username"], office=said["office"], role=said["role"], since=said["since"], by=actor)
    except IntegrityError:
        form.add_error(None, gettext("这个人从这一天起已经有这个岗位。"))
        return None


def end_post(request: HttpRequest, pk: int) -> HttpResponse:
    """A person leaves a role, and what they did stays theirs; or a role that waits for it is confirmed or refused."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    post = get_object_or_404(StaffPost.objects.select_related("user", "office", "given_by"), pk=pk, office__in=actor.office_ids)
    if post.confirmed_at is None:
        return confirm_post(request, post, actor)
    form = EndForm(request.POST or None, initial={"until": post.until or today()})
    if form.is_valid() and _ended(post, form, actor):
        messages.success(request, gettext("已记下离任日期。"))
        return redirect("admin:offices_staffpost_changelist")
    title = gettext("{name}：{post}").format(name=post.user.display_name, post=post)
    return _form_page(request, form, of=StaffPost, title=title, submit=_("结束岗位"))


def _ended(post: StaffPost, form: EndForm, actor: Actor) -> bool:
    until: datetime.date = form.cleaned_data["until"]
    if until <= post.since:
        form.add_error("until", gettext("离任日期要在任职日期之后"))
        return False
    post.until = until
    post.save(update_fields=["until"])
    remember(post, "end_post", by=actor)
    return True


def make_login(request: HttpRequest) -> HttpResponse:
    """A new log-in; its rights come with a post."""
    form = LoginForm(request.POST or None)
    if form.is_valid():
        try:
            user = register(**form.cleaned_data, given=True)
            remember(user, "make_login", by=request.actor)  # type: ignore[attr-defined]
            made = gettext("账号已建好，请任命岗位。本人要在 {days} 天内登录并改掉初始密码。")
            messages.success(request, made.format(days=GIVEN_HOLDS.days))
            return redirect("admin:account", user.pk)
        except LoginTaken:
            form.add_error("username", gettext("这个登录名已经有人用，请换一个"))
    return _form_page(request, form, of=User, title=_("新建账号"), submit=_("新建账号"))


def account_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One member of staff: posts, a new password, closing and opening the log-in."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    user = get_object_or_404(manageable(actor), pk=pk)
    form, status = PasswordForm(request.POST if "password" in request.POST else None), 200
    asked = FactorDrop.objects.filter(user=user, done_at=None).select_related("asked_by").first()
    why = WhyForm(request.POST if "drop_factor" in request.POST else None)
    if request.method == "POST" and why.is_bound and user.pk != actor.user_id:
        status = factor_act(request, user, asked, why, actor)
    elif request.method == "POST":
        status = _account_act(request, user, form, actor)
    if request.method == "POST":
        if status == 302:
            return redirect("admin:account", pk)
    posts = StaffPost.objects.filter(user=user).select_related("office").order_by("-since")
    context = desk_context(
        request, trail=[list_of(User)], title=user.display_name, account=user, form=form, posts=posts, on=today(),
        is_self=user.pk == actor.user_id,
        dropping=asked, me=actor.user_id, why=why,
    )  # fmt: skip
    return render(request, "desk/account.html", context, status=status)


def _account_act(request: HttpRequest, user: User, form: PasswordForm, actor: Actor) -> int:
    if "active" in request.POST and user.pk != actor.user_id:
        user.is_active = request.POST["active"] == "yes"
        user.save(update_fields=["is_active"])
        remember(user, "open_login" if user.is_active else "close_login", by=actor)
        messages.success(request, gettext("账号已恢复。") if user.is_active else gettext("账号已停用。"))
        return 302
    if form.is_bound and form.is_valid():
        set_password(user, form.cleaned_data["password"], given=True)
        remember(user, "reset_password", by=actor)
        messages.success(request, gettext("密码已重设，本人要在 {days} 天内登录并改掉它。").format(days=GIVEN_HOLDS.days))
        return 302
    return 400


@admin.register(Office)
class OfficeAdmin(HouseAdmin):
    """The tree of offices."""

    view_action = "offices.manage"
    section, place = "house", 10
    page = "admin:office"
    desk_urls = (("<int:pk>/record/", "office", "offices.manage", office_page),)
    list_display = ("tree_name", "code", "level", "phone", "account_number")
    list_filter = ("level",)
    ordering = ("path",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Office]:
        return super().get_queryset(request).filter(pk__in=request.actor.office_ids)  # type: ignore[attr-defined]

    @admin.display(description=_("机构"))
    def tree_name(self, office: Office) -> str:
        return "　" * (office.path.count("/") - 2) + office.name


@admin.register(StaffPost)
class StaffPostAdmin(HouseAdmin):
    """Who works where, the latest first."""

    view_action = "accounts.manage"
    section, place = "house", 20
    page = "admin:post_end"
    list_links = (Link(_("任命岗位"), "admin:post_give", "accounts.manage"),)
    desk_urls = (
        ("new/", "post_give", "accounts.manage", give_post),
        ("<int:pk>/end/", "post_end", "accounts.manage", end_post),
    )
    search_hint = _("登录名")
    list_display = (column("user", _("姓名")), column("office", _("机构")), "role", "since", "until", "standing")
    list_filter = ("role",)
    list_select_related = ("user", "office")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[StaffPost]:
        return super().get_queryset(request).filter(office__in=request.actor.office_ids)  # type: ignore[attr-defined]

    def find(self, rows: QuerySet[StaffPost], text: str) -> QuerySet[StaffPost]:
        return rows.filter(user__username=text)

    @admin.display(description=_("状态"))
    def standing(self, post: StaffPost) -> str:
        if post.confirmed_at is None:
            return badge(_("待另一位管理员确认"), "todo")
        if post.until and post.until <= today():
            return badge(_("已离任"))
        return badge(_("在任"), "good") if post.since <= today() else badge(_("未到任"), "todo")


@admin.register(User)
class AccountAdmin(HouseAdmin):
    """The log-ins of staff and agents; workers' log-ins are not listed."""

    view_action = "accounts.manage"
    section, place = "house", 30
    title = _("工作人员账号")
    page = "admin:account"
    list_links = (Link(_("新建账号"), "admin:login_make", "accounts.manage"),)
    list_hint = _("工作人员和单位经办人的账号；职工自己注册的账号不在这里。")
    desk_urls = (
        ("new/", "login_make", "accounts.manage", make_login),
        ("<int:pk>/record/", "account", "accounts.manage", account_page),
        ("refusals/<int:pk>/read/", "refusal_read", "accounts.manage", read_refusal),
    )
    search_hint = _("登录名")
    list_display = ("username", "display_name", "standing", column("created_at", _("建立时间")))
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return manageable(request.actor)  # type: ignore[attr-defined]

    def find(self, rows: QuerySet[User], text: str) -> QuerySet[User]:
        return rows.filter(Q(username=text) | Q(username__startswith=text))

    @admin.display(description=_("状态"))
    def standing(self, user: User) -> str:
        if user.is_active and user.password_given_at:
            return badge(_("初始密码还没有改"), "todo")
        return badge(_("可登录"), "good") if user.is_active else badge(_("已停用"), "bad")


@todo("accounts.manage")
def second_looks(actor: Actor) -> Iterable[Todo]:
    """Posts that another administrator has to confirm, and log-ins whose authenticator is to be taken away."""
    me = actor.user_id
    posts = StaffPost.objects.filter(confirmed_at=None, office__in=actor.office_ids).exclude(given_by=me).exclude(user=me)
    yield waiting(_("待您确认的任命"), posts, "since", reverse("admin:offices_staffpost_changelist"))
    asked = FactorDrop.objects.filter(done_at=None, user__in=manageable(actor)).exclude(asked_by=me).exclude(user=me)
    first = asked.order_by("pk").values_list("user_id", flat=True).first()
    page = reverse("admin:account", args=[first]) if first else reverse("admin:accounts_user_changelist")
    yield waiting(_("待您确认解除动态验证码的账号"), asked, "asked_at", page)
