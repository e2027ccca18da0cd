"""Screening claims (查疑点): what calls for a second look is written down in flags, set-based; a reviewer dismisses with a reason."""

import json
from collections.abc import Sequence

from django.db import connection
from django.utils.translation import gettext as _

from claims.models import Claim, ClaimFlag
from claims.selectors.suspicions import found_for
from claims.transitions import DECIDABLE
from unionaid.lib.calendar import now
from unionaid.offices.roles import Actor, may
from unionaid.offices.scope import looking_everywhere
from unionaid.web.prepared import run
from unionaid.workflow.moves import Conflict, MoveRefused, NotAllowed, record


class FlagRefused(MoveRefused):
    """The flag stays; the message says why."""


# What is found anew stands again; a dismissal stays, for it was said of the same figures' subject. The rest lapses.
_KEEP = """
WITH found AS (
  SELECT f.claim_id, c.office_id, f.code, f.subject, f.figures
  FROM jsonb_to_recordset(%s::jsonb) AS f (claim_id bigint, code text, subject text, figures jsonb)
  JOIN claims_claim c ON c.id = f.claim_id ORDER BY f.claim_id, f.code, f.subject
), estimate AS (
  UPDATE claims_claim told SET estimated_fen = (
    SELECT s.total_fen FROM claims_benefitstatement s WHERE s.claim_id = told.id ORDER BY s.id DESC LIMIT 1)
  WHERE told.id = ANY (%s) AND told.estimated_fen IS DISTINCT FROM (
    SELECT s.total_fen FROM claims_benefitstatement s WHERE s.claim_id = told.id ORDER BY s.id DESC LIMIT 1)
), put AS (
  INSERT INTO claims_claimflag (claim_id, office_id, code, subject, figures, reason)
  SELECT claim_id, office_id, code, subject, figures, '' FROM found
  ON CONFLICT (claim_id, code, subject) DO UPDATE SET figures = EXCLUDED.figures, lapsed_at = NULL
  WHERE claims_claimflag.lapsed_at IS NOT NULL OR claims_claimflag.figures <> EXCLUDED.figures
)
UPDATE claims_claimflag gone SET lapsed_at = now()
WHERE gone.claim_id = ANY (%s) AND gone.lapsed_at IS NULL
AND NOT EXISTS (SELECT 1 FROM found f WHERE f.claim_id = gone.claim_id AND f.code = gone.code AND f.subject = gone.subject)
"""


def screen(claims: Sequence[Claim]) -> None:
    """Compute the flags of these claims, and of the waiting ones that share a paper or days with them, and note what the rules gave
    last. Looks at every office; the same statements for one claim or a thousand. May run any number of times."""
    ids = sorted(claim.pk for claim in claims)
    if not ids:
        return
    with looking_everywhere(reason="compare claims across offices"):
        told, neighbours = found_for(ids, DECIDABLE)
        told += found_for(neighbours, DECIDABLE)[0] if neighbours else []
        found = [{"claim_id": one.claim_id, "code": one.code, "subject": one.subject, "figures": one.figures} for one in told]
        with connection.cursor() as cursor:
            run(cursor, _KEEP, [json.dumps(found), ids, [*ids, *neighbours]])


def dismiss(flag: ClaimFlag, *, by: Actor, reason: str) -> ClaimFlag:
    """Say why this flag is no obstacle. Whoever comes second is told; nobody dismisses a flag on their own claim or one they sent in."""
    claim = Claim.objects.select_related("member", "claimant").get(pk=flag.claim_id)
    if not may(by, "claims.dismiss_flag", claim.office_id):
        raise NotAllowed(_("您没有排除疑点的权限。"))
    if by.user_id in (claim.member.user_id, claim.claimant.user_id, claim.filed_by_id, claim.filed_before_by_id, claim.submitted_by_id):
        raise NotAllowed(_("这是您本人、您家人或您提交的申领，要由别人来办。"))
    if not reason.strip():
        raise FlagRefused(_("请写明为什么可以排除，例如：已电话核实，两次住院不是同一次。"))
    if claim.state not in DECIDABLE:
        raise FlagRefused(_("这件申领现在不在审核中，不用排除疑点。"))
    open_ones = ClaimFlag.objects.filter(pk=flag.pk, lapsed_at=None, dismissed_at=None)
    if not open_ones.update(dismissed_at=now(), dismissed_by=by.user_id, reason=reason.strip()[:300]):
        raise Conflict(_("这个疑点已经由别人排除，或者已经不存在了。请刷新页面再看。"), [])
    record([claim], "dismiss_flag", by=by, note=reason.strip()[:300], details={"flag": flag.code, "figures": flag.figures})
    flag.refresh_from_db()
    return flag
