"""My cover, in full: every plan I and my family are or were in, until when, who paid what, and what is left of each limit."""

from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from claims.selectors.standing import Part, Standing, Used, my_standings
from claims.views.parts import show
from claims.views.worker import cover_card
from members.facts import cover_waits
from members.transitions import LIVE
from programs.rules.outline import payer_words
from programs.selectors import schedule_of
from unionaid.lib.calendar import today
from unionaid.lib.money import format_yuan
from unionaid.offices.access import actor, requires

CENT = 100  # days stand in hundredths, like yuan in fen


@requires("my.use")
@never_cache
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """What is running first, then what is to come, then what has ended or never came about."""
    on, member_id = today(), actor(request).member_id
    language: str = request.LANGUAGE_CODE  # type: ignore[attr-defined]
    cards: dict[str, list[dict[str, Any]]] = {"running": [], "coming": [], "past": []}
    for one in my_standings():
        cards[_when(one, on)].append(_card(one, on, member_id, language))
    return show(request, "covers", **cards)


def _when(one: Standing, on: date) -> str:
    if one.cover.state not in LIVE or one.cover.cover.upper <= on:
        return "past"
    return "coming" if one.cover.cover.lower > on else "running"


def _card(one: Standing, on: date, member_id: int | None, language: str) -> dict[str, Any]:
    cover, card = one.cover, cover_card(one.cover, on)
    through = cover.holder.name if cover.member_id == member_id != cover.holder_id else ""
    return card | {
        "full": True,
        "through": through,
        "who": cover.member.name if through else card["who"],
        "waiting": cover_waits(cover, schedule_of(cover.terms), on=on).in_language(language) if cover.state in LIVE else "",
        "unit": cover.unit.name if cover.unit else "",
        "amount": format_yuan(cover.contribution_fen),
        "parts": [_paid(part, language) for part in one.parts],
        "limits": [_limit(used, cover.relation, language) for used in one.limits] if cover.state == "effective" else [],
    }


def _paid(part: Part, language: str) -> dict[str, str]:
    if part.back_on:
        said = _("保障已到期，{day}起本金退还缴费的一方").format(day=date_format(part.back_on))
    elif part.is_waived:
        said = _("不再收取")
    elif part.is_paid and part.paid_on:
        said = _("{day}到账").format(day=date_format(part.paid_on))
    else:
        said = _("已到账") if part.is_paid else _("还没有到账")
    payer = payer_words(part.payer).in_language(language) if part.payer else _("互助费")
    return {"payer": payer, "amount": format_yuan(part.amount_fen), "said": said, "tone": "good" if part.is_paid else "todo"}


def _limit(used: Used, relation: str, language: str) -> dict[str, Any]:
    """A spouse's diagnosis is the spouse's own: the worker reads the sum alone."""
    whole, taken, left = used.limit_fen, used.used_fen, used.left_fen
    name = used.limit.words.in_language(language)
    if used.which and used.limit.scope == "year":
        name = _("{limit}，第 {number} 年").format(limit=name, number=used.which)
    elif used.which and relation != "spouse":
        name = _("{limit}，疾病 {code}").format(limit=name, code=used.which)
    if used.limit.is_days:
        says = _("共 {whole} 天，已用 {used} 天，还剩 {left} 天").format(whole=whole // CENT, used=taken // CENT, left=left // CENT)
    elif used.limit.scope == "deductible":
        says = _("共 {whole} 元，已扣 {used} 元，还要扣 {left} 元").format(
            whole=format_yuan(whole), used=format_yuan(taken), left=format_yuan(left)
        )
    else:
        says = _("共 {whole} 元，已用 {used} 元，还剩 {left} 元").format(
            whole=format_yuan(whole), used=format_yuan(taken), left=format_yuan(left)
        )
    return {"name": name, "says": says, "whole": whole, "used": min(taken, whole)}
