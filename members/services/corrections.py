"""Corrections (资料更正): a wrong name, ID number or birth date is put right by the office, over a photo that shows it.

Nobody decides what they asked for, nor their own record. An ID number that is somebody else's is refused without saying whose.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.models import Correction, CorrectionPaper, Member, MemberSecret, WorkUnit
from members.services.people import SECRETS, PersonRefused, id_hash, numbers_of
from unionaid.accounts.services import LoginTaken, correct_login
from unionaid.lib.identity import IdNumber, mask_id, parse_id_number
from unionaid.lib.uploads import CleanUpload
from unionaid.offices.roles import Actor, may
from unionaid.offices.scope import everywhere
from unionaid.web.files import kept
from unionaid.web.keys import ring
from unionaid.workflow.moves import NotAllowed, move, record
from unionaid.workflow.notices import tell

TABLE = "members_correction"
_NAMES: dict[str, Promise] = {
    "name": gettext_lazy("姓名"), "id_number": gettext_lazy("身份证号"), "birth_date": gettext_lazy("出生日期"),
}  # fmt: skip


class CorrectionRefused(PersonRefused):
    """What is asked for cannot be put right so; `field` is what it is about."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is right; empty for what is right already."""

    name: str = ""
    id_number: IdNumber | None = None
    birth_date: date | None = None


def ask(
    member: Member, wanted: Wanted, *, papers: Sequence[CleanUpload], reason: str = "", unit: WorkUnit | None = None, by: Actor
) -> Correction:
    """The person, the agent of their `unit`, or somebody of the office responsible who saw the paper asks for it; CorrectionRefused
    when nothing differs, when the parts contradict each other, when the number is somebody else's, or when one request is waiting."""
    _refuse_asker(member, unit, by)
    office_id = unit.office_id if unit else member.office_id
    if office_id is None:
        raise CorrectionRefused(_("请先在“看看我能参加哪些”里填写工作单位，我们才知道由哪个办事处为您核对。"))
    if not papers:
        raise CorrectionRefused(_("请上传身份证或户口簿的照片，办事处要对照它核对。"), "paper")
    with transaction.atomic(), everywhere(reason="ask for a correction"):
        number = numbers_of([member.pk])[member.pk][0]
        told = _differences(member, number, wanted)
        before = {"name": member.name, "id_number": mask_id(number), "birth_date": member.birth_date.isoformat()}
        try:
            with transaction.atomic():
                made = Correction(
                    office_id=office_id, member=member, unit=unit, before=before, reason=reason.strip(), asked_by_id=by.user_id,
                    name=told.name, birth_date=told.birth_date,
                )  # fmt: skip
                if told.id_number:
                    made.id_hash = id_hash(told.id_number.number)
                    made.id_masked = mask_id(told.id_number.number)
                    made.id_number = ring().seal(told.id_number.number, bound_to=(TABLE, "id_number", made.public_id.hex))
                made.save()
        except IntegrityError as error:
            if "one_open_correction" not in str(error):
                raise
            raise CorrectionRefused(_("已有一份更正在等办事处核对，请等它办完，或先撤回。")) from error
        CorrectionPaper.objects.bulk_create([CorrectionPaper(correction=made, **kept(one)) for one in papers], ignore_conflicts=True)
        record([made], "ask_correction", by=by)
    return made


def _refuse_asker(member: Member, unit: WorkUnit | None, by: Actor) -> None:
    own = unit is None and by.member_id == member.pk
    as_agent = unit is not None and unit.pk in by.unit_ids and unit.pk in member.unit_ids
    of_office = unit is None and member.office_id is not None and may(by, "corrections.propose", member.office_id)
    if not (may(by, "corrections.ask") and (own or as_agent) or of_office):
        raise NotAllowed(_("只有本人、单位经办人或负责的办事处可以提出更正。"))


def _differences(member: Member, number: str, wanted: Wanted) -> Wanted:
    """What differs from the record. A birth date must be the one in the ID number, the new one or the one on record."""
    name = wanted.name if wanted.name != member.name else ""
    new = wanted.id_number if wanted.id_number and wanted.id_number.number != number else None
    born = (new or parse_id_number(number)).birth_date
    if wanted.birth_date and wanted.birth_date != born:
        words = _("出生日期和身份证号第 7 到 14 位不一致，请对照身份证核对；身份证号也登记错了的，请一起更正。")
        raise CorrectionRefused(words, "birth_date")
    birth_date = born if born != member.birth_date and (new or wanted.birth_date) else None
    if new:
        _refuse_taken(member, new)
    if not (name or new or birth_date):
        raise CorrectionRefused(_("填写的内容和现在的登记一样，没有要更正的。"))
    return Wanted(name, new, birth_date)


def _refuse_taken(member: Member, number: IdNumber) -> None:
    if Member.objects.filter(id_hash=id_hash(number.number)).exclude(pk=member.pk).exists():
        raise CorrectionRefused(_taken(), "id_number")


def _taken() -> str:
    return _("这个身份证号已有登记，不能改成它。请先对照身份证核对；确实是本人的，请带身份证到办事处办理。")


def withdraw(correction: Correction, *, by: Actor) -> Correction:
    """Whoever asked takes it back."""
    if correction.asked_by_id != by.user_id:
        raise NotAllowed(_("只有提出更正的人可以撤回。"))
    return move([correction], "withdraw", by=by)[0]


def give_back(correction: Correction, *, by: Actor, note: str) -> Correction:
    """The office does not agree and says why; the record stays as it is."""
    if not note.strip():
        raise CorrectionRefused(_("请写明为什么退回，申请人会看到这段话。"), "note")
    _refuse_own(correction, by)
    with transaction.atomic():
        move([correction], "return", by=by, note=note.strip(), changes={"answer": note.strip()})
        _tell(correction, gettext_lazy("资料更正没有办成"), gettext_lazy("办事处没有更正您的登记资料：{words}"), words=note.strip())
    return correction


def approve(correction: Correction, *, by: Actor) -> Correction:
    """The office agrees: the record says from now on what was asked for, here and at the log-in; the replaced number is kept
    sealed with the request. CorrectionRefused when the number has become somebody else's meanwhile."""
    _refuse_own(correction, by)
    try:
        with transaction.atomic():
            move([correction], "approve", by=by)
            with everywhere(reason="put a record right"):
                _apply(correction, by)
            text = gettext_lazy(
                "办事处已核对您的证件，更正了：{words}。保障凭证从现在起按新的资料显示；收款账户的户名要和姓名一致。"
            )
            _tell(correction, gettext_lazy("您的资料已更正"), text, words=_what(correction))
    except (IntegrityError, LoginTaken) as error:
        if isinstance(error, IntegrityError) and "id_hash" not in str(error):
            raise
        raise CorrectionRefused(_taken()) from error
    return correction


def _refuse_own(correction: Correction, by: Actor) -> None:
    if by.user_id is not None and correction.member.user_id == by.user_id:
        raise NotAllowed(_("自己的资料要由别人来核对。"))


def _apply(correction: Correction, by: Actor) -> None:
    member = Member.objects.select_for_update().get(pk=correction.member_id)
    changes: dict[str, Any] = {}
    if correction.name:
        changes["name"] = correction.name
    if correction.birth_date:
        changes["birth_date"] = correction.birth_date
    if correction.id_number:
        number = parse_id_number(new_number(correction))
        changes |= {"id_hash": id_hash(number.number), "gender": number.gender, "birth_date": number.birth_date}
        _swap_number(correction, number)
    Member.objects.filter(pk=member.pk).update(**changes)
    if member.user_id:
        correct_login(member.user_id, name=correction.name, id_hash=changes.get("id_hash"))
    record([member], "correct", by=by, details={"correction": correction.pk, "fields": sorted(changes), "before": correction.before})


def _swap_number(correction: Correction, number: IdNumber) -> None:
    secret = MemberSecret.objects.select_for_update().get(pk=correction.member_id)
    old = ring().open_text(secret.id_number, bound_to=(SECRETS, "id_number", secret.pk))
    sealed = ring().seal(old, bound_to=(TABLE, "id_number_before", correction.public_id.hex))
    Correction.objects.filter(pk=correction.pk).update(id_number_before=sealed, id_hash_before=id_hash(old))
    secret.id_number = ring().seal(number.number, bound_to=(SECRETS, "id_number", secret.pk))
    secret.save(update_fields=["id_number"])


def new_number(correction: Correction) -> str:
    """The ID number asked for, in full; empty when none was. The caller records the look."""
    if correction.id_number is None:
        return ""
    return ring().open_text(correction.id_number, bound_to=(TABLE, "id_number", correction.public_id.hex))


def numbers_to_compare(correction: Correction, *, by: Actor) -> tuple[str, str]:
    """The number on record and the one asked for, in full, to hold against the photo; the look is recorded."""
    if not may(by, "members.see_number", correction.office_id):
        raise NotAllowed(_("您不能查看完整的身份证号。"))
    record([correction.member], "see_id_number", by=by, note=_("核对资料更正"))
    return numbers_of([correction.member_id])[correction.member_id][0], new_number(correction)


def in_words(correction: Correction) -> list[tuple[str, str, str]]:
    """What is asked for: (what, as it was, as it is to be), numbers masked."""
    before = correction.before
    found = [(_("姓名"), before["name"], correction.name)] if correction.name else []
    if correction.id_masked:
        found.append((_("身份证号"), before["id_number"], correction.id_masked))
    if correction.birth_date:
        found.append((_("出生日期"), date_format(date.fromisoformat(before["birth_date"])), date_format(correction.birth_date)))
    return found


def _what(correction: Correction) -> Promise:
    """What was put right, by name alone: the message may lie open on a table."""
    found = [words for name, words in _NAMES.items() if getattr(correction, name)]
    return reduce(lambda one, other: format_lazy("{}{}{}", one, gettext_lazy("、"), other), found)


def _tell(correction: Correction, title: Any, text: Any, *, words: str | Promise = "") -> None:
    tell([correction.member_id], office_id=correction.office_id, title=title, text=text, link="/my/record", values={"words": words})
