"""What would I get? Typical hospital bills, or one's own figures, under every plan the worker may join or has joined."""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from members.facts import person_facts
from members.forms.join import BillForm
from members.models import Member
from members.selectors.joining import NO, Offer, offers
from members.views.eligibility import GROUPS
from members.views.parts import me, show
from programs.rules.explain import FACT_WORDS
from programs.rules.facts import PersonFacts
from programs.rules.limits import limit_names
from programs.rules.reading import statement
from programs.rules.schedule import Schedule
from programs.rules.typical import TYPICAL, Bill, would_get
from unionaid.lib.calendar import add_years, today
from unionaid.lib.money import fen_from_yuan, format_yuan
from unionaid.offices.access import requires

SHARES = re.compile(r"shares-[0-9]{1,18}")
CHILD = 10  # years of the child for whom a plan for children is reckoned

@requires("my.use")
@never_cache
@require_GET
def page(request: HttpRequest) -> HttpResponse:
    """One bill at a time: 5,000, 20,000, 100,000 yuan, or what the worker fills in. Nothing is stored."""
    member = me(request)
    asked = {name: value for name, value in request.GET.items() if name in BillForm.base_fields}
    form = BillForm(asked or None, initial=_figures(TYPICAL[1]))
    chosen = request.GET.get("bill", "")
    bill = TYPICAL[int(chosen)] if chosen in ("0", "1", "2") else TYPICAL[1]
    if asked and form.is_valid():
        bill, chosen = form.bill(), ""
    found = [offer for offer in offers(member, on=today()) if offer.standing != NO]
    cards = [_card(request, offer, bill, member, _shares(request, offer)) for offer in found]
    context = {
        "bill": _said(bill),
        "choices": [
            (_again(request, {"bill": str(i)}, drop=form.fields), f"{one.total:,.0f}", not asked and one is bill)
            for i, one in enumerate(TYPICAL)
        ],
        "chosen_shares": [(name, value) for name, value in request.GET.items() if SHARES.fullmatch(name)],
        "cards": sorted(cards, key=lambda card: card["fen"], reverse=True),
        "own": bool(asked),
    }
    return show(request, "would_get", form, **context)


def _shares(request: HttpRequest, offer: Offer) -> int:
    """As many shares of this plan as the worker chose (`shares-` and the key of the terms), as far as they may have so many; else those
    they have, or one."""
    said = request.GET.get(f"shares-{offer.terms.pk}", "")
    return next((count for count in offer.choices if str(count) == said), offer.shares)


def _again(request: HttpRequest, said: dict[str, str], *, drop: Iterable[str] = ()) -> str:
    """This page with something chosen otherwise."""
    query = request.GET.copy()
    for name in drop:
        query.pop(name, None)
    for name, value in said.items():
        query[name] = value
    return f"?{query.urlencode()}"


def _figures(bill: Bill) -> dict[str, Any]:
    return {"total": f"{bill.total:f}", "personal": f"{bill.personal:f}", "outside": f"{bill.outside:f}", "days": bill.days}


def _said(bill: Bill) -> dict[str, Any]:
    amounts = {"total": bill.total, "insured": bill.insured, "personal": bill.personal, "outside": bill.outside, "self_pay": bill.self_pay}
    return {name: f"{amount:,.2f}" for name, amount in amounts.items()} | {"days": bill.days}


def _card(request: HttpRequest, offer: Offer, bill: Bill, member: Member, shares: int) -> dict[str, Any]:
    """One plan with this bill: how much and how it is reckoned, and how much each typical bill would give; or why that cannot be told."""
    language: str = request.LANGUAGE_CODE  # type: ignore[attr-defined]
    schedule, (person, who) = offer.schedule, _person(offer, member)
    found, name = would_get(schedule, bill, person=person, shares=shares), f"shares-{offer.terms.pk}"
    card = {
        "shares": shares,
        "counts": [(_again(request, {name: str(count)}), count, count == shares) for count in offer.choices],
        "terms": offer.terms,
        "name": schedule.name.in_language(language),
        "standing": dict(GROUPS)[offer.standing],
        "who": who,
        "others": [item.name.in_language(language) for item in schedule.items if "admission" not in item.events],
    }
    if found is None:
        return card | {"fen": 0, "amount": "", "lines": [], "why": _("这个计划不按住院费用给付，它给付：")}
    told = statement(found.as_data(), reader="worker", names=limit_names(schedule))
    lines = [line.words.in_language(language) for line in told][:-1]
    if found.missing:
        facts = "、".join(FACT_WORDS[fact].in_language(language) for fact in found.missing)
        why = _("还要看{facts}，只凭账单算不出来。").format(facts=facts)
        return card | {"fen": 0, "amount": "", "lines": lines, "why": why, "others": []}
    fen = fen_from_yuan(found.total)
    return card | {"fen": fen, "amount": format_yuan(fen), "lines": lines, "why": "", "typical": _typical(schedule, person, shares)}


def _person(offer: Offer, member: Member) -> tuple[PersonFacts, str]:
    """For whom it is reckoned, and how that is said: the worker, or somebody of the family when the plan is for them alone."""
    if offer.relation == "self":
        return person_facts(member), ""
    known, gender = person_facts(member, relation=offer.relation), offer.schedule.enrolling.gender
    known = known if gender == "any" else replace(known, gender=gender)
    if offer.relation == "minor_child":
        return replace(known, birth_date=add_years(today(), -CHILD)), _("按 {age} 岁的孩子估算").format(age=CHILD)
    return known, _("按配偶与您同龄估算")


def _typical(schedule: Schedule, person: PersonFacts, shares: int) -> list[tuple[str, str]]:
    """(bill, what it would give) for each typical bill."""
    given = [(bill, would_get(schedule, bill, person=person, shares=shares)) for bill in TYPICAL]
    return [(f"{bill.total:,.0f}", format_yuan(fen_from_yuan(found.total))) for bill, found in given if found]
