"""The texts reviewers begin with are data of the offices: who may write them, and that a reason stays as it was once it was given."""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from claims.models import Letter, RejectionReason
from claims.selectors.wordings import reasons_for
from claims.services.reckoning import DecisionRefused
from claims.services.rules import RuleRefused
from unionaid.lib.calendar import now
from unionaid.offices.models import Office
from unionaid.offices.roles import Actor, may
from unionaid.workflow.moves import Conflict, NotAllowed, record


def may_write(by: Actor, office: Office | None) -> bool:
    """May this person write the texts of this office, or (None) those of the whole country?"""
    return may(by, "wordings.set_national") if office is None else may(by, "claims.set_rules", office.pk)


def set_reason(office: Office | None, values: Mapping[str, Any], *, reason: RejectionReason | None, by: Actor) -> RejectionReason:
    """Add a reason of this office, or (None) of the whole country; or change one that nobody has given yet. `values`: its columns; the
    code is never changed."""
    _may(by, office)
    if unknown := set(values) - {"code", *RejectionReason.STAYS}:
        raise KeyError(sorted(unknown)[0])
    before: dict[str, Any] = {}
    if reason is None:
        try:
            with transaction.atomic():
                reason = RejectionReason.objects.create(office=office, **values)
        except IntegrityError as error:
            raise RuleRefused(_("这个编码已经有了（停用的也算），请换一个。"), "code") from error
    else:
        before = {name: getattr(reason, name) for name in RejectionReason.STAYS}
        told = {name: value for name, value in values.items() if name != "code"}
        rows = RejectionReason.objects.filter(pk=reason.pk, office=office, retired_at=None, used_at=None)
        if not rows.update(**told):
            raise Conflict(_("这个原因已经用在申领上，或者已经停用，不能再改；要换说法，请停用它，另加一个。"), [])
        reason.refresh_from_db()
    record([reason], "set_reason", by=by, details={"from": before, "to": dict(values)})
    return reason


def retire_reason(reason: RejectionReason, *, by: Actor) -> None:
    """Offer this reason no longer; the claims it was given for keep it. One that follows from another act stays."""
    _may(by, reason.office)
    if not RejectionReason.objects.filter(pk=reason.pk, retired_at=None, is_offered=True).update(retired_at=now()):
        raise Conflict(_("这个原因已经停用。"), [])
    record([reason], "set_reason", by=by, details={"from": {"code": reason.code}, "to": {}})


def given(office: Office, code: str, *, clause: str) -> None:
    """A reason is given for a claim of this office: from now on it stays as it is. DecisionRefused for one that the office may not give,
    and where the clause is missing that it needs."""
    reason = reasons_for(office).filter(code=code).first()
    if reason is None:
        raise DecisionRefused(_("请选择列出的原因；选好的原因可能刚刚停用，请刷新页面再选。"))
    if reason.needs_clause and not clause.strip():
        raise DecisionRefused(_("按这个原因不予给付，要写明依据的条款。"))
    mark_used(code)


def mark_used(code: str) -> None:
    """This reason stands in a decision: its words stay."""
    RejectionReason.objects.filter(code=code, used_at=None).update(used_at=now())


def set_letter(office: Office | None, values: Mapping[str, Any], *, letter: Letter | None, by: Actor) -> Letter:
    """Add a letter of this office, or (None) of the whole country; or change one: the old wording is kept in the record."""
    _may(by, office)
    before = {name: getattr(letter, name) for name in values} if letter else {}
    try:
        with transaction.atomic():
            if letter is None:
                letter = Letter.objects.create(office=office, **values)
            elif not Letter.objects.filter(pk=letter.pk, office=office, retired_at=None).update(**values):
                raise Conflict(_("这个模板已经停用。"), [])
    except IntegrityError as error:
        raise RuleRefused(_("已有同名的模板，请换一个名称。"), "title") from error
    letter.refresh_from_db()
    record([letter], "set_letter", by=by, details={"from": before, "to": dict(values)})
    return letter


def retire_letter(letter: Letter, *, by: Actor) -> None:
    """Offer this letter no longer."""
    _may(by, letter.office)
    if not Letter.objects.filter(pk=letter.pk, retired_at=None).update(retired_at=now()):
        raise Conflict(_("这个模板已经停用。"), [])
    record([letter], "set_letter", by=by, details={"from": {"title": letter.title, "text": letter.text}, "to": {}})


def _may(by: Actor, office: Office | None) -> None:
    if not may_write(by, office):
        raise NotAllowed(_("您不能修改这里的原因和模板。"))
