"""The life of money put into a fund or taken out of it otherwise than by fees and benefits."""

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
        Arrow("post", _("复核入账"), ("proposed",), "posted", "funds.confirm", ("proposed_by",), "confirmed_by"),
        Arrow("drop", _("不予入账"), ("proposed",), "dropped", "funds.propose"),
    ),
)
