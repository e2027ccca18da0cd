"""Which approved claims go into a batch: by office, fund, bank of the payee's account, days of approval, amounts, the largest so many. Read
only; who cannot go in is counted with the reason."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from django.db.models import Count, Max, Min, QuerySet, Sum
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from claims.models import Claim
from claims.payouts.bank import formats
from claims.payouts.bank.lines import Payment
from claims.payouts.checking import part_of
from claims.selectors.cooling import payable_now
from claims.selectors.queue import in_state
from unionaid.lib.calendar import today
from unionaid.lib.money import format_yuan
from unionaid.offices.models import Office
from unionaid.offices.roles import Actor

# So many lines are held against the bank's file before the batch is made; of more, each is when its line is.
LOOKED_AT = 2_000
SHOWN_COOLING = 500


@dataclass(frozen=True, slots=True)
class Choice:
    """What a batch is made of. Days of approval and amounts are inclusive; None and an empty bank ask nothing; `largest` takes so many of
    the highest amounts."""

    office_id: int
    fund: str
    bank: str = ""
    approved_from: date | None = None
    approved_to: date | None = None
    amount_from: int | None = None
    amount_to: int | None = None
    largest: int | None = None

    def told(self) -> dict[str, Any]:
        """As it is kept with the batch."""
        return {name: value.isoformat() if isinstance(value, date) else value for name, value in asdict(self).items()}

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "Choice":
        """From what was kept."""
        days = {name: date.fromisoformat(told[name]) if told[name] else None for name in ("approved_from", "approved_to")}
        return cls(**{**told, **days})


@dataclass(frozen=True, slots=True)
class Sums:
    """How many, how much, the smallest and the largest, in fen."""

    count: int
    total_fen: int
    least_fen: int
    most_fen: int


@dataclass(frozen=True, slots=True)
class Left:
    """A reason why claims stay out, how many, and the first of them. `chosen`: so many of them, and so much in fen, are among the chosen
    ones all the same, for only the bank's file cannot hold them."""

    why: str | Promise
    count: int
    claims: tuple[str, ...]
    chosen: int = 0
    chosen_fen: int = 0


def by_fund(actor: Actor) -> list[tuple[Office, str, int, int]]:
    """(office, fund, claims, fen) of all that wait for payment in the actor's offices. Two statements."""
    waiting = Claim.objects.filter(payable_now(today()), in_state("approved"), office__in=actor.office_ids)
    rows = waiting.order_by().values("office_id", "fund")
    found = list(rows.annotate(count=Count("id"), fen=Sum("approved_fen")))
    offices = {office.pk: office for office in Office.objects.filter(pk__in={row["office_id"] for row in found})}
    told = [(offices[row["office_id"]], row["fund"], row["count"], row["fen"]) for row in found]
    return sorted(told, key=lambda row: (row[0].path, row[1]))


def cooling(actor: Actor) -> list[Claim]:
    """Approved claims that wait because their account was changed. One statement."""
    rows = Claim.objects.filter(in_state("approved"), office__in=actor.office_ids).exclude(payable_now(today()))
    return list(rows.select_related("member", "office").order_by("payable_on", "id")[:SHOWN_COOLING])


def banks(office_id: int, fund: str) -> list[tuple[str, int, int]]:
    """(bank, claims, fen) of what waits, the most frequent first. One statement."""
    rows = _waiting(office_id, fund).values("card__bank_name").annotate(count=Count("id"), fen=Sum("approved_fen"))
    return [(row["card__bank_name"] or "", row["count"], row["fen"]) for row in rows.order_by("-count", "card__bank_name")]


def _waiting(office_id: int, fund: str) -> QuerySet[Claim]:
    return Claim.objects.filter(payable_now(today()), in_state("approved"), office=office_id, fund=fund).order_by()


def asked(choice: Choice) -> QuerySet[Claim]:
    """Waiting claims that the choice is about, whoever makes the batch and however many it takes; the highest amounts first."""
    rows = _waiting(choice.office_id, choice.fund)
    if choice.bank:
        rows = rows.filter(card__bank_name=choice.bank)
    bounds = {
        "approved_at__date__gte": choice.approved_from, "approved_at__date__lte": choice.approved_to,
        "approved_fen__gte": choice.amount_from, "approved_fen__lte": choice.amount_to,
    }  # fmt: skip
    return rows.filter(**{name: value for name, value in bounds.items() if value is not None}).order_by("-approved_fen", "id")


def chosen(choice: Choice, by: Actor) -> QuerySet[Claim]:
    """The claims that this person may put into a batch: none they had a part in, none that pays them."""
    rows = asked(choice).exclude(part_of(by))
    return rows[: choice.largest] if choice.largest else rows


def sums(choice: Choice, by: Actor) -> Sums:
    """Of the chosen claims. One statement."""
    rows = Claim.objects.filter(pk__in=chosen(choice, by).values("pk")) if choice.largest else chosen(choice, by).order_by()
    found = rows.aggregate(n=Count("id"), fen=Sum("approved_fen", default=0), least=Min("approved_fen"), most=Max("approved_fen"))
    return Sums(found["n"], found["fen"], found["least"] or 0, found["most"] or 0)


def left_out(choice: Choice, by: Actor, office: Office) -> list[Left]:
    """Who stays out of what the choice is about, and why. Constant statements."""
    told = []
    own = list(asked(choice).filter(part_of(by)).values_list("number", flat=True)[:LOOKED_AT])
    if own:
        told.append(Left(gettext_lazy("您经办过，或与您本人有关，要由别人编制"), len(own), tuple(own[:10])))
    why: dict[str, list[tuple[str, int]]] = {}
    rows = chosen(choice, by).values_list("number", "approved_fen", "card__owner_name", "card__bank_name")[:LOOKED_AT]
    for number, fen, name, bank in rows:
        if reason := _unfit(office.bank_format, name, bank):
            why.setdefault(reason, []).append((number, fen))
    return told + [
        Left(reason, len(found), tuple(number for number, _fen in found[:10]), len(found), sum(fen for _number, fen in found))
        for reason, found in why.items()
    ]


def _unfit(kind: str, name: str | None, bank: str | None) -> str:
    """Why the bank's file cannot hold this payee; the account's number is looked at when the line is made."""
    if name is None or bank is None:
        return _("没有收款账户")
    return formats.unfit(kind, Payment(1, "0" * 16, name, bank, 1, "FK0"))


def in_words(choice: Choice) -> list[tuple[str | Promise, str]]:
    """(what was asked, how) for people; nothing when everything was taken."""
    told: list[tuple[str | Promise, str]] = [(gettext_lazy("开户银行"), choice.bank)] if choice.bank else []
    days = [(gettext_lazy("批准日期从"), choice.approved_from), (gettext_lazy("批准日期到"), choice.approved_to)]
    fens = [(gettext_lazy("金额从（元）"), choice.amount_from), (gettext_lazy("金额到（元）"), choice.amount_to)]
    told += [(words, day.isoformat()) for words, day in days if day] + [(words, format_yuan(fen)) for words, fen in fens if fen is not None]
    return told + ([(gettext_lazy("金额最大的"), _("{count} 笔").format(count=choice.largest))] if choice.largest else [])
