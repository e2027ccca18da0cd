"""What an office sets for its review: time limits, the limit of bulk approval, letters. Every change is on record."""

from collections.abc import Mapping

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from claims.models import Letter, ReviewRule
from claims.transitions import DECIDABLE
from unionaid.lib.calendar import now
from unionaid.offices.models import Office
from unionaid.offices.roles import Actor, may
from unionaid.workflow.moves import Conflict, MoveRefused, NotAllowed, record


class RuleRefused(MoveRefused):
    """Nothing was changed; the message says why. `field` is the one at fault."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


def set_rule(
    office: Office, *, bulk_limit_fen: int, soon_days: int, cooling_days: int, step_days: Mapping[str, int], seen: int, by: Actor
) -> ReviewRule:
    """Set the rule of one office. `step_days`: working days by state, only states in which something waits; `seen`: the version the
    person looked at, 0 when there was none."""
    _may_set(office, by)
    if unknown := set(step_days) - set(DECIDABLE):
        raise KeyError(sorted(unknown)[0])
    values = {"bulk_limit_fen": bulk_limit_fen, "soon_days": soon_days, "cooling_days": cooling_days, "step_days": dict(step_days)}
    conflict = Conflict(_("这份设置刚被别人改过。请刷新页面，看过新的内容再改。"), [])
    if seen:
        if not ReviewRule.objects.filter(office=office, version=seen).update(**values, version=F("version") + 1):
            raise conflict
    else:
        try:
            with transaction.atomic():
                ReviewRule.objects.create(office=office, **values)
        except IntegrityError as error:
            raise conflict from error
    rule = ReviewRule.objects.select_related("office").get(office=office)
    record([office], "set_rules", by=by, details=values)
    return rule


def set_letter(office: Office, *, title: str, text: str, letter: Letter | None, by: Actor) -> Letter:
    """Add a letter of this office, or change one of its own: the old wording is kept in the record."""
    _may_set(office, by)
    before = {"title": letter.title, "text": letter.text} if letter else {}
    try:
        with transaction.atomic():
            if letter is None:
                letter = Letter.objects.create(office=office, title=title, text=text)
            elif not Letter.objects.filter(pk=letter.pk, office=office, retired_at=None).update(title=title, text=text):
                raise Conflict(_("这个模板已经停用。"), [])
    except IntegrityError as error:
        raise RuleRefused(_("已有同名的模板，请换一个名称。"), "title") from error
    record([office], "set_letter", by=by, details={"from": before, "to": {"title": title, "text": text}})
    letter.refresh_from_db()
    return letter


def retire_letter(letter: Letter, *, by: Actor) -> None:
    """Offer this letter no longer."""
    _may_set(letter.office, by)
    if not Letter.objects.filter(pk=letter.pk, retired_at=None).update(retired_at=now()):
        raise Conflict(_("这个模板已经停用。"), [])
    record([letter.office], "set_letter", by=by, details={"from": {"title": letter.title, "text": letter.text}, "to": {}})


def _may_set(office: Office, by: Actor) -> None:
    if not may(by, "claims.set_rules", office.pk):
        raise NotAllowed(_("您不能修改这个机构的审核设置。"))
