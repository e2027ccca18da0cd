"""The life of terms: drafted, checked by their own examples, published by another person, closed."""

from django.utils.translation import gettext_lazy as _

from unionaid.workflow.arrows import Arrow, Graph, State

TERMS = Graph(
    name="terms",
    initial="draft",
    states=(
        State("draft", _("草稿")),
        State("checked", _("已核对")),
        State("published", _("已发布"), "good"),
        State("closed", _("已结束")),
    ),
    arrows=(
        Arrow("check", _("核对"), ("draft",), "checked", "programs.draft"),
        Arrow("reopen", _("改回草稿"), ("checked",), "draft", "programs.draft"),
        Arrow("publish", _("发布"), ("checked",), "published", "programs.publish", ("drafted_by",), "published_by"),
        Arrow("close", _("结束"), ("published",), "closed", "programs.publish"),
    ),
)
