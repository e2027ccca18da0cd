"""What would I get? Typical hospital bills, or one's own figures, under every plan the worker may join or has joined."""

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
from programs.rules.explain import statement
from programs.rules.typical import TYPICAL, Bill, would_get
from unionaid.lib.calendar import today
from unionaid.lib.money import fen_from_yuan, format_yuan
from unionaid.offices.access import requires


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
    cards = [_card(request, offer, bill, member) for offer in offers(member, on=today()) if offer.standing != NO]
    context = {
        "bill": _said(bill),
        "choices": [(i, f"{one.total:,.0f}", not asked and one is bill) for i, one in enumerate(TYPICAL)],
        "cards": sorted(cards, key=lambda card: card["fen"], reverse=True),
        "own": bool(asked),
    }
    return show(request, "would_get", form, **context)


def _figures(bill: Bill) -> dict[str, Any]:
    return {"total": f"{bill.total:f}", "personal": f"{bill.personal:f}", "outside": f"{bill.outside:f}", "days": bill.days}


def _said(bill: Bill) -> dict[str, Any]:
    amounts = {"total": bill.total, "insured": bill.insured, "personal": bill.personal, "outside": bill.outside, "self_pay": bill.self_pay}
    return {name: f"{amount:,.2f}" for name, amount in amounts.items()} | {"days": bill.days}


def _card(request: HttpRequest, offer: Offer, bill: Bill, member: Member) -> dict[str, Any]:
    language: str = request.LANGUAGE_CODE  # type: ignore[attr-defined]
    schedule = offer.schedule
    relation = "self" if "self" in schedule.enrolling.relations else schedule.enrolling.relations[0]
    found = would_get(schedule, bill, person=person_facts(member, relation=relation)) if relation == "self" else None
    card = {
        "terms": offer.terms,
        "name": schedule.name.in_language(language),
        "standing": dict(GROUPS)[offer.standing],
        "others": [item.name.in_language(language) for item in schedule.items if "admission" not in item.events],
    }
    if found is None:
        return card | {"fen": 0, "amount": "", "lines": [], "why": _("这个计划不按住院费用给付，它给付：")}
    lines = [line.words.in_language(language) for line in statement(found.as_data(), reader="worker")]
    fen = fen_from_yuan(found.total)
    return card | {"fen": fen, "amount": format_yuan(fen), "lines": lines[:-1], "why": ""}
