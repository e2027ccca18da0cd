"""Days as pages say them."""

from datetime import date

from django.utils.translation import override

from unionaid.web.dates import span


def test_a_span_names_both_days_in_the_readers_language():
    first, last = date(2026, 1, 6), date(2026, 12, 31)
    with override("zh-hans"):
        assert span(first, last) == "2026年1月6日 至 2026年12月31日"
    with override("en"):
        assert span(first, last) == "Jan. 6, 2026 to Dec. 31, 2026"
