"""Papers that are wanted beside those a plan's terms name."""

from programs.rules.schedule import Document
from programs.rules.words import Words

# Where somebody else fills a claim in, the claimant's word for it is among the papers, unless they gave it on their own page.
AUTHORISATION = Document(
    code="authorisation",
    name=Words("委托书或本人签名的说明", "Letter of authorisation, or a statement signed by the claimant"),
    events=(),
    required=True,
    from_amount=None,
)
