"""Papers that are wanted beside those a plan's terms name."""

from programs.rules.schedule import Document
from programs.rules.words import Words


def _wanted(code: str, zh: str, en: str) -> Document:
    return Document(code=code, name=Words(zh, en), events=(), required=True, from_amount=None)


# Where somebody else fills a claim in, the claimant's word for it is among the papers, unless they gave it on their own page.
AUTHORISATION = _wanted(
    "authorisation", "委托书或本人签名的说明", "Letter of authorisation, or a statement signed by the claimant"
)
# What an heir shows: that the person died (the code is the one that plans use, so that it is asked for once), what they are to each other,
# and that those who inherit beside them agree that they take it for all.
DEATH = _wanted("death_certificate", "死亡证明", "Death certificate")
KINSHIP = _wanted(
    "kinship", "与逝者关系的证明（户口本、结婚证、出生证明或公证书）",
    "Proof of the relation to the deceased (household register, marriage or birth certificate, or a notarial deed)",
)  # fmt: skip
OTHER_HEIRS = _wanted(
    "other_heirs", "其他继承人同意由您领取的声明；没有其他继承人的，写明没有并签名",
    "Statement of the other heirs that you may receive it; where there are none, your signed statement that there are none",
)  # fmt: skip
OF_HEIRS = (DEATH, KINSHIP, OTHER_HEIRS)
