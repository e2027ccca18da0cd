"""What claims have to say when a cover is to end before its time."""

from datetime import date

from claims.models import Claim
from claims.services.objections import claims_from
from tests.factories.desk import Desk
from tests.factories.world import ILL
from unionaid.lib.calendar import plus_days

LATER, NEXT = date(2026, 6, 10), date(2026, 6, 11)


def test_a_cover_does_not_end_before_the_last_stay_that_was_claimed_under_it(desk: Desk) -> None:
    cover = desk.cover()
    claim = desk.world.claim(cover, 600_000)
    assert "2026年5月20日" in claims_from({cover.pk: ILL})[cover.pk]
    assert claims_from({cover.pk: plus_days(ILL, 1)}) == {}
    stay = claim.admissions.get()
    stay.pk, stay._state.adding, stay.admitted_on, stay.discharged_on = None, True, LATER, LATER
    stay.save()
    assert "2026年6月10日" in claims_from({cover.pk: plus_days(ILL, 1)})[cover.pk]
    assert claims_from({cover.pk: NEXT}) == {}
    Claim.objects.filter(pk=claim.pk).update(accident_on=ILL)
    assert claims_from({cover.pk: plus_days(ILL, 1)}) == {}, "stays after an accident count on its day"
