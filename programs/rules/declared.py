"""Figures that an applicant declares (申报的数): what a plan asks for, and whether what was told can be such a figure."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from programs.rules.schedule import Ask
from programs.rules.words import Words

MOST_YUAN, MOST_COUNT = Decimal(10) ** 10, Decimal(10) ** 6


def figure_fault(ask: Ask, figure: Decimal) -> Words | None:
    """Why this cannot be the figure asked for; None when it can. Sums: from 0, in whole fen; numbers: whole, from 0; neither above
    `most`, which counts."""
    if figure < 0:
        return Words("不能是负数", "must not be negative")
    if not ask.in_yuan and figure != figure.to_integral_value():
        return Words("要填整数", "must be a whole number")
    if figure != round(figure, 2):
        return Words("最多两位小数", "has more than two decimals")
    most = min(ask.most if ask.most is not None else MOST_YUAN, MOST_YUAN if ask.in_yuan else MOST_COUNT)
    if figure > most:
        unit = Words(" 元", " yuan") if ask.in_yuan else Words("", "")
        return Words(f"最多填 {most:,f}{unit.zh}", f"must not be above {most:,f}{unit.en}")
    return None


def declared_fault(asks: Sequence[Ask], figures: Mapping[str, str]) -> Words | None:
    """What is wrong with figures as a claim keeps them (texts, by code), naming the figure; None when nothing is. KeyError for one
    that the plan does not ask for."""
    known = {ask.code: ask for ask in asks}
    for code, text in figures.items():
        if words := figure_fault(known[code], Decimal(text)):
            name = known[code].name
            return Words(f"“{name.zh}”{words.zh}", f"“{name.en}” {words.en}")
    return None


def declared_words(asks: Sequence[Ask], figures: Mapping[str, str]) -> list[tuple[Words, Words]]:
    """What was declared, in the plan's order: the name of each figure and the figure."""
    return [(ask.name, figure_words(ask, Decimal(figures[ask.code]))) for ask in asks if ask.code in figures]


def figure_words(ask: Ask, figure: Decimal) -> Words:
    """40,000.00 元, or 12."""
    return Words(f"{figure:,.2f} 元", f"{figure:,.2f} yuan") if ask.in_yuan else Words(f"{figure:,.0f}", f"{figure:,.0f}")
