"""How people are reached: the phone their unit or they themselves told, the e-mail address and language of their log-in."""

from collections.abc import Mapping, Sequence

from members.models import Member
from members.services.people import SECRETS
from unionaid.accounts.services import email_of
from unionaid.web.keys import ring
from unionaid.workflow.channels import Contact
from unionaid.workflow.notices import address_book


def languages_of(member_ids: Sequence[int]) -> Mapping[int, str]:
    """The languages of those who have a log-in. One statement."""
    return dict(Member.objects.filter(pk__in=member_ids, user__isnull=False).values_list("pk", "user__language"))


def contacts_of(member_ids: Sequence[int]) -> Mapping[int, Contact]:
    """Language, e-mail address and phone of these people. One statement."""
    rows = Member.objects.filter(pk__in=member_ids).select_related("user", "secret")
    return {row.pk: _contact(row) for row in rows}


def _contact(member: Member) -> Contact:
    sealed = member.secret.phone
    phone = ring().open_text(sealed, bound_to=(SECRETS, "phone", member.pk)) if sealed else ""
    if member.user is None:
        return Contact(phone=phone)
    return Contact(member.user.language, email_of(member.user) if member.user.is_active else "", phone)


def open_book() -> None:
    """Let notices find their way."""
    address_book(languages=languages_of, contacts=contacts_of)
