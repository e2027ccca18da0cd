"""From a claim to what belongs to it: the claim it corrects, its correction, appeals, objections, and what may be begun."""

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from claims.admin.appeals import may_enter_appeal
from claims.admin.words import standing_words
from claims.models import Appeal, Claim, Objection
from claims.services.corrections import CORRECTABLE
from claims.services.halts import HALTABLE
from unionaid.lib.calendar import today
from unionaid.offices.roles import Actor, may


def links_of(claim: Claim, actor: Actor) -> list[tuple[str, str]]:
    """(words, address). Three statements; one more where an appeal may be filed."""
    found = []
    line = Claim.objects.filter(Q(pk__in=[claim.corrects_id, claim.follows_id]) | Q(corrects=claim) | Q(follows=claim))
    for number, pk, corrects in line.exclude(state="draft").order_by("id").values_list("number", "pk", "corrects_id"):
        if pk == claim.corrects_id:
            words = _("更正的是申领 {number}")
        elif pk == claim.follows_id:
            words = _("按规则发起，依据申领 {number}")
        else:
            words = _("更正它的申领 {number}") if corrects == claim.pk else _("按规则发起的救助 {number}")
        found.append((words.format(number=number), reverse("admin:claim_review", args=[pk])))
    for appeal in Appeal.objects.filter(claim=claim).order_by("id"):
        found.append((_("申诉：{state}").format(state=appeal.state_label), reverse("admin:claim_appeal", args=[appeal.pk])))
    for objection in Objection.objects.filter(claim=claim).order_by("id"):
        found.append((_("公示异议：{state}").format(state=objection.state_label), reverse("admin:claim_objection", args=[objection.pk])))
    if claim.state == "on_notice" and may(actor, "objections.enter", claim.office_id):
        found.append((_("登记异议"), reverse("admin:claim_objection_new", args=[claim.pk])))
    if may_enter_appeal(claim, actor, on=today()):
        found.append((_("登记申诉"), reverse("admin:claim_appeal_new", args=[claim.pk])))
    if claim.state in HALTABLE and may(actor, "halts.propose", claim.office_id):
        found.append((_("核定有误，提请停付"), reverse("admin:claim_halt", args=[claim.pk])))
    if claim.state in ("halt_proposed", "halted"):
        found.append((_("停付：{state}").format(state=standing_words(claim.state)), reverse("admin:claim_halt", args=[claim.pk])))
    if claim.state in CORRECTABLE and may(actor, "claims.review", claim.office_id):
        found.append((_("重新核定类别"), reverse("admin:claim_reclassify", args=[claim.pk])))
    return found
