"""People: one record per ID number, sealed numbers, consents, bank accounts, log-ins."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from members.models import BankCard, Consent, IdentityQuestion, Member, MemberSecret, WorkUnit
from programs.rules.eligibility import ADULT
from unionaid.accounts.models import User
from unionaid.accounts.services import LoginTaken, register
from unionaid.lib.calendar import age_on
from unionaid.lib.identity import IdNumber, mask_card, mask_id, mask_phone, parse_id_number
from unionaid.offices.models import Office
from unionaid.offices.roles import Actor
from unionaid.offices.scope import everywhere
from unionaid.web.keys import ring
from unionaid.workflow.moves import MoveRefused, record

SECRETS = "members_membersecret"
CARDS = "members_bankcard"
CONSENT_TEXT = "2026-01"


class PersonRefused(MoveRefused):
    """What was said of the person does not fit what is known; the message says what to do."""


@dataclass(frozen=True, slots=True)
class NewPerson:
    """A person to be found or made."""

    name: str
    id_number: IdNumber
    phone: str | None = None
    employment: str = ""
    basic_insurance: bool | None = None
    union_member: bool | None = None
    office_id: int | None = None
    unit_id: int | None = None


@dataclass(frozen=True, slots=True)
class Masked:
    """A person's numbers as they are shown by default."""

    id_number: str
    phone: str


def id_hash(number: str) -> bytes:
    """The blind index of an ID number."""
    return ring().blind("id_number", number)


def id_hash_many() -> Callable[[str], bytes]:
    """`id_hash` for those who hash many."""
    return ring().blind_many("id_number")


def register_members(people: Sequence[NewPerson]) -> dict[str, Member]:
    """Find or make the record of each person, by ID number, in a constant number of statements.

    A found record keeps its name, its office and unit, and who may see it: whoever knows a name and a number moves nobody and
    gets to see nobody. What they tell of eligibility is filled in. Runs in an open scope that shows everyone (`everywhere`): the
    same person may be known elsewhere.
    """
    by_hash = {id_hash(p.id_number.number): p for p in people}
    known = _known(by_hash)
    missing = [h for h in by_hash if h not in known]
    keys = _next_ids("members_member_id_seq", len(missing))
    Member.objects.bulk_create(
        [_new_member(key, h, by_hash[h]) for key, h in zip(keys, missing, strict=True)],
        ignore_conflicts=True,
        batch_size=5000,
    )
    found = _known(by_hash)
    MemberSecret.objects.bulk_create(
        [
            _new_secret(found[h].pk, by_hash[h])
            for key, h in zip(keys, missing, strict=True)
            if found[h].pk == key  # someone else may have made this person a moment ago
        ],
        batch_size=5000,
    )
    _fill_in([(found[h], by_hash[h]) for h in by_hash if h in known])
    return {p.id_number.number: found[h] for h, p in by_hash.items()}


def register_member(person: NewPerson) -> Member:
    """`register_members` for one."""
    with everywhere(reason="find a person by ID number"):
        return register_members([person])[person.id_number.number]


def _known(hashes: Iterable[bytes]) -> dict[bytes, Member]:
    return {bytes(m.id_hash): m for m in Member.objects.filter(id_hash__in=list(hashes))}


def _next_ids(sequence: str, count: int) -> list[int]:
    if not count:
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(%s) FROM generate_series(1, %s)", [sequence, count])
        return [row[0] for row in cursor.fetchall()]


def _new_member(key: int, hashed: bytes, p: NewPerson) -> Member:
    return Member(
        pk=key,
        id_hash=hashed,
        name=p.name,
        gender=p.id_number.gender,
        birth_date=p.id_number.birth_date,
        unit_id=p.unit_id,
        office_id=p.office_id,
        office_ids=[p.office_id] if p.office_id else [],
        unit_ids=[p.unit_id] if p.unit_id else [],
        employment=p.employment,
        basic_insurance=p.basic_insurance,
        union_member=p.union_member,
    )


def _new_secret(key: int, p: NewPerson) -> MemberSecret:
    keys = ring()
    return MemberSecret(
        member_id=key,
        id_number=keys.seal(p.id_number.number, bound_to=(SECRETS, "id_number", key)),
        phone=keys.seal(p.phone, bound_to=(SECRETS, "phone", key)) if p.phone else None,
        phone_hash=keys.blind("phone", p.phone) if p.phone else None,
    )


def _fill_in(pairs: list[tuple[Member, NewPerson]]) -> None:
    for member, p in pairs:
        member.employment = p.employment or member.employment
        member.basic_insurance = p.basic_insurance if p.basic_insurance is not None else member.basic_insurance
        member.union_member = p.union_member if p.union_member is not None else member.union_member
    Member.objects.bulk_update(
        [member for member, _p in pairs], ["employment", "basic_insurance", "union_member"], batch_size=2000
    )


def sign_up(*, name: str, id_number: IdNumber, phone: str, password: str, on: date) -> User:
    """A worker makes a login. A person whom a unit or office already registered is bound to it only when name and phone
    fit what is on record: nobody gets at another's record by knowing a number. PersonRefused otherwise."""
    hashed, keys = id_hash(id_number.number), ring()
    with everywhere(reason="sign up"):
        known = Member.objects.filter(id_hash=hashed).select_related("secret").first()
        if known and known.user_id:
            raise PersonRefused(_("这个身份证号已经注册过，请直接登录；忘记密码请联系单位经办人或办事处。"))
        if known:
            _refuse_stranger(known, name, phone)
        try:
            user = register(
                username=f"w{hashed.hex()[:20]}",
                display_name=name,
                password=password,
                id_hash=hashed,
                phone_hash=keys.blind("phone", phone),
            )
        except LoginTaken:
            raise PersonRefused(_("这个身份证号已经注册过，请直接登录。")) from None
        member = known or register_member(NewPerson(name=name, id_number=id_number, phone=phone))
        Member.objects.filter(pk=member.pk, user__isnull=True).update(user=user)
        actor = Actor(user_id=user.pk, label=name, member_id=member.pk)
        give_consent(member, Consent.Purpose.SIGN_UP, by=actor)
        record([member], "sign_up", by=actor)
    return user


def _refuse_stranger(known: Member, name: str, phone: str) -> None:
    hashed = ring().blind("phone", phone)
    if known.name != name or known.secret.phone_hash is None or bytes(known.secret.phone_hash) != hashed:
        raise PersonRefused(
            _("您的单位已为这个身份证号办理登记，但姓名或手机号与登记的不一致。请核对后再试，或请单位经办人、办事处更正登记的手机号。")
        )


def give_consent(member: Member, purpose: str, *, by: Actor) -> Consent:
    """Keep a separate consent with the version of its text."""
    return Consent.objects.create(member=member, purpose=purpose, text_version=CONSENT_TEXT)


def has_consent(member: Member, purpose: str) -> bool:
    """Is there a consent for this that was not withdrawn?"""
    return Consent.objects.filter(member=member, purpose=purpose, withdrawn_at=None).exists()


def masked_numbers(member_ids: Sequence[int]) -> dict[int, Masked]:
    """The masked numbers of these people, as far as the open scope shows them. One statement."""
    found = {}
    for row in MemberSecret.objects.filter(member_id__in=member_ids):
        number = ring().open_text(row.id_number, bound_to=(SECRETS, "id_number", row.pk))
        phone = ring().open_text(row.phone, bound_to=(SECRETS, "phone", row.pk)) if row.phone else ""
        found[row.pk] = Masked(mask_id(number), mask_phone(phone) if phone else "")
    return found


def numbers_of(member_ids: Sequence[int]) -> dict[int, tuple[str, str]]:
    """The full ID numbers and phones of these people. One statement; the caller records who looked and why."""
    found = {}
    for row in MemberSecret.objects.filter(member_id__in=member_ids):
        number = ring().open_text(row.id_number, bound_to=(SECRETS, "id_number", row.pk))
        found[row.pk] = (number, ring().open_text(row.phone, bound_to=(SECRETS, "phone", row.pk)) if row.phone else "")
    return found


def full_id_number(member: Member, *, by: Actor, reason: str) -> str:
    """The full ID number; the look is recorded with its reason."""
    record([member], "see_id_number", by=by, note=reason)
    secret = MemberSecret.objects.get(member=member)
    return ring().open_text(secret.id_number, bound_to=(SECRETS, "id_number", secret.pk))


def add_card(member: Member, *, owner_name: str, bank_name: str, number: str, by: Actor) -> BankCard:
    """Keep an account that benefit may be paid to; the account name must be the member's name."""
    if owner_name != member.name:
        raise PersonRefused(_("银行账户的户名要和本人姓名一致，请填写本人的银行卡。"))
    (key,) = _next_ids("members_bankcard_id_seq", 1)
    card = BankCard.objects.create(
        pk=key,
        member=member,
        owner_name=owner_name,
        bank_name=bank_name,
        number=ring().seal(number, bound_to=(CARDS, "number", key)),
        number_hash=ring().blind("bank_card", number),
        last_four=number[-4:],
    )
    record([member], "add_card", by=by, details={"card": key, "last_four": number[-4:]})
    return card


def masked_card(card: BankCard) -> str:
    """The account as it is shown."""
    return mask_card(card.last_four)


TOLD = {
    "employment", "basic_insurance", "insurance_type", "union_member", "joined_unit_on", "contract_months", "card_holder", "staff_group",
    "risk", "retired_on",
}  # fmt: skip


def tell(member: Member, answers: Mapping[str, Any], *, by: Actor) -> Member:
    """The worker's own answers to the eligibility questions (employment, basic insurance and its kind, union membership,
    first day in the unit), and to those that only some plans ask (contract, card, staff group, class of work, retirement)."""
    unknown = set(answers) - TOLD
    if unknown:
        raise KeyError(sorted(unknown))
    for name, value in answers.items():
        setattr(member, name, value)
    member.save(update_fields=list(answers))
    record([member], "tell_eligibility", by=by, details={"answers": sorted(answers)})
    return member


def work_at(member: Member, *, unit: WorkUnit | None, office: Office, by: Actor) -> Member:
    """Where the worker works, as they say: from now on this unit and this office may see the person. A unit that a roster has
    written down stays: transfers are the office's matter."""
    if member.unit_id and (unit is None or unit.pk != member.unit_id):
        raise PersonRefused(_("您的工作单位已由单位登记，换了单位请联系办事处办理转移。"))
    with everywhere(reason="say where one works"):
        Member.objects.filter(pk=member.pk).update(
            unit=unit,
            office=office,
            office_ids=sorted({*member.office_ids, office.pk}),
            unit_ids=sorted({*member.unit_ids, unit.pk}) if unit else member.unit_ids,
        )
        record([member], "tell_work", by=by)
        member.refresh_from_db()
    return member


def add_spouse(worker: Member, *, name: str, id_number: IdNumber, by: Actor) -> Member:
    """Register the worker's husband or wife, who joins through them. One who is known stays where they are, and the worker's office sees
    them once they have joined through the worker; for one who is known under another name see `_as_told`. PersonRefused for the
    worker's own number."""
    with everywhere(reason="find or register a spouse"):
        if id_hash(id_number.number) == bytes(worker.id_hash):
            raise PersonRefused(_("这是您自己的身份证号，请填写配偶的身份证号。"))
        told = NewPerson(name=name, id_number=id_number, office_id=worker.office_id, unit_id=None)
        spouse = register_member(told)
        if spouse.name != name:
            spouse = _as_told(worker, told, spouse)
        record([spouse], "add_spouse", by=by, details={"worker": worker.pk})
    return spouse


def add_child(guardian: Member, *, name: str, id_number: IdNumber | str, by: Actor, on: date) -> Member:
    """Register a minor child of the worker; the guardian's consent is kept (PIPL 31). A name and a number make nobody a guardian: the
    office looks at the household paper first (`kin.confirm_guardian`). For a child who is known under another name or has another
    guardian see `_as_told`. PersonRefused for a person of 18 or more."""
    number = parse_id_number(id_number, on=on) if isinstance(id_number, str) else id_number
    if age_on(number.birth_date, on) >= ADULT:
        raise PersonRefused(_("孩子已满 18 周岁，不能作为未成年子女参加，请核对身份证号。"))
    with everywhere(reason="register a child"):
        told = NewPerson(name=name, id_number=number, office_id=guardian.office_id, unit_id=guardian.unit_id)
        child = register_member(told)
        if child.name != name or child.guardian_id not in (None, guardian.pk):
            child = _as_told(guardian, told, child)
        record([child], "add_child", by=by, details={"guardian": guardian.pk})
        if not has_consent(child, Consent.Purpose.MINOR):
            give_consent(child, Consent.Purpose.MINOR, by=by)
    return child


def add_heir(worker: Member, *, name: str, id_number: IdNumber, phone: str, by: Actor) -> Member:
    """Register who claims after the worker's death: their papers lie at the desk of the worker's office, which sees them from now on. One
    who is known stays where they are. PersonRefused, in words that tell nothing of anybody, for another name."""
    with everywhere(reason="find or register an heir"):
        if id_hash(id_number.number) == bytes(worker.id_hash):
            raise PersonRefused(_("这是逝者的身份证号，请填写继承人的身份证号。"))
        heir = register_member(NewPerson(name=name, id_number=id_number, phone=phone, office_id=worker.office_id))
        if heir.name != name:
            raise PersonRefused(_not_like_this())
        seen = sorted({*heir.office_ids, *({worker.office_id} if worker.office_id else ())})
        Member.objects.filter(pk=heir.pk).update(office_ids=seen)
        heir.refresh_from_db()
        record([heir], "add_heir", by=by, details={"worker": worker.pk})
    return heir


def _not_like_this() -> str:
    """The same words whatever is known of the person, and whether anybody is."""
    return _("按您填写的姓名和身份证号没有办成。请对照身份证或户口本核对；核对无误的，请带上证件到办事处办理。")


def _as_told(worker: Member, told: NewPerson, known: Member) -> Member:
    """A record of its own for what the worker told of somebody whom this number knows otherwise: they go on exactly as for somebody whom
    nobody knows, and learn nothing of anybody; the office settles with the papers who it is (`kin.settle`). The same words find the
    same record again, and once settled the person themself."""
    hashed = ring().blind("told_of_kin", f"{worker.pk}/{told.id_number.number}/{told.name}")
    question = IdentityQuestion.objects.filter(member__id_hash=hashed).select_related("member", "known").first()
    if question:
        return question.known if question.settled_at else question.member
    (key,) = _next_ids("members_member_id_seq", 1)
    made = _new_member(key, hashed, told)
    made.save(force_insert=True)
    _new_secret(key, told).save(force_insert=True)
    IdentityQuestion.objects.create(member=made, known=known)
    return made
