"""What background work says is kept in every language and read in the reader's."""

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy, override

from programs.rules.words import Words
from unionaid.web import said


def test_a_lazy_sentence_is_kept_in_every_language_and_read_in_the_readers() -> None:
    words = format_lazy(gettext_lazy("与第 {row} 行是同一个身份证号"), row=7)
    kept = said.in_every_language([words, said.spoken(Words("年龄不符", "Too old"))])
    assert kept["zh-hans"] == ["与第 7 行是同一个身份证号", "年龄不符"]
    assert "7" in kept["en"][0]
    assert kept["en"][1] == "Too old"
    assert said.line(kept) == "与第 7 行是同一个身份证号；年龄不符"
    with override("en"):
        assert said.line(kept).endswith("; Too old")
        assert said.sentences(kept) == kept["en"]


def test_a_plain_text_is_looked_up_as_it_stands() -> None:
    kept = said.in_every_language(["份数应为 1 到 99 的整数"])
    assert kept["zh-hans"] == ["份数应为 1 到 99 的整数"]
    assert kept["en"] != kept["zh-hans"]


def test_whoever_formats_too_early_keeps_one_language() -> None:
    """The control: a sentence that is put together before it is kept stays in the language of that moment."""
    with override("zh-hans"):
        kept = said.in_every_language([gettext_lazy("与第 {row} 行是同一个身份证号").format(row=7)])
    assert kept["en"] == kept["zh-hans"]


def test_nothing_said_reads_as_nothing() -> None:
    assert said.line({}) == ""
    assert said.sentences({}) == []
