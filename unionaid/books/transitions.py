"""The life of money put into a fund or taken out of it otherwise than by fees and benefits, of a closing, and of a day's reconciliation."""

from django.utils.translation import gettext_lazy as _

from unionaid.workflow.arrows import Arrow, Graph, State

MOVEMENT = Graph(
    name="movement of a fund",
    initial="proposed",
    states=(
        State("proposed", _("待另一人复核"), "todo"),
        State("posted", _("已记账"), "good"),
        State("dropped", _("未记账")),
    ),
    arrows=(
        Arrow("post", _("复核入账"), ("proposed",), "posted", "funds.confirm", ("proposed_by",), "confirmed_by", proof=True),
        Arrow("drop", _("不予入账"), ("proposed",), "dropped", "funds.propose"),
    ),
)

CLOSING = Graph(
    name="closing of the books",
    initial="asked",
    states=(
        State("asked", _("待另一人复核"), "todo"),
        State("closed", _("已结账"), "good"),
        State("dropped", _("没有结账")),
    ),
    arrows=(
        Arrow("close", _("复核结账"), ("asked",), "closed", "periods.close", ("proposed_by",), "closed_by", proof=True),
        Arrow("drop", _("不结账"), ("asked",), "dropped", "periods.propose"),
    ),
)

RECONCILIATION = Graph(
    name="reconciliation of a bank account",
    initial="open",
    states=(
        State("open", _("正在核对"), "todo"),
        State("agrees", _("相符"), "good"),
        State("differs", _("不符，待说明"), "bad"),
        State("explained", _("不符，已说明"), "todo"),
    ),
    arrows=(
        Arrow("agree", _("核对相符"), ("open", "differs", "explained", "agrees"), "agrees", "reconciliations.make"),
        Arrow("differ", _("核对不符"), ("open", "agrees", "explained", "differs"), "differs", "reconciliations.make"),
        Arrow("explain", _("说明差额"), ("differs",), "explained", "reconciliations.explain", ("entered_by",), "explained_by"),
    ),
)
