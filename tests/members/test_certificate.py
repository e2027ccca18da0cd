"""The certificate is a real PDF with every character of a name on it, rare ones as their code."""

import io

from pypdf import PdfReader

from members import certificate
from members.models import Enrolment
from tests.factories.world import JOINED, World
from unionaid.lib.calendar import frozen
from unionaid.offices.scope import everywhere


def test_a_rare_character_is_never_blank(world: World) -> None:
    with everywhere(reason="arrange"), frozen(JOINED):
        made = world.cover(world.member(101, "䶮𠮷㛃𪚥"))
        cover = Enrolment.objects.select_related("member", "program", "terms", "unit", "office").get(pk=made.pk)
        pdf = certificate.render(cover, verify_url="https://example.org/verify/x")
    text = PdfReader(io.BytesIO(pdf)).pages[0].extract_text().replace("\x00", "")
    assert "䶮𠮷㛃〔U+2A6A5〕" in text, "what any of the fonts has is shown as itself, what none has by its code"
    assert "职工互助保障凭证" in text
