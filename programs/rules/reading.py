"""A stored assessment as a worker, a reviewer and an auditor read it: every item, and what is left under each limit afterwards."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from programs.rules.apart import GIVEN, SET_OFF
from programs.rules.explain import Sentence, sentences, yuan
from programs.rules.limits import SAYS, name_of
from programs.rules.schedule import LASTING
from programs.rules.words import Words

READERS = ("worker", "reviewer", "auditor")
Names = Mapping[str, Words]


def statement(
    assessment: Mapping[str, Any], *, reader: str, names: Names, terms: str = "", content_hash: str = ""
) -> list[Sentence]:
    """A stored assessment as it is read. The worker: each item's steps and amount, or why not, and what is left under each limit in
    plain words. The reviewer: the clause of every step besides. The auditor: unrounded figures, keys and the terms' hash too.
    `names`: for which items each limit is (`limits.limit_names` of the terms). ValueError for an unknown reader."""
    if reader not in READERS:
        raise ValueError(reader)
    lines: list[Sentence] = []
    for item in assessment["items"]:
        lines += [_for_reader(line, reader) for line in sentences(item)]
        if reader == "auditor" and item["trail"]:
            exact = item["trail"][-1]["result"]
            lines.append(
                Sentence(Words(f"未取整金额 {exact}，四舍五入到分 {item['amount']}", f"unrounded {exact}, half-up to {item['amount']}"))
            )
    lines += limit_lines(assessment, reader=reader, names=names)
    total = Decimal(assessment["total"])
    lines.append(Sentence(Words(f"合计 {yuan(total)} 元", f"total {yuan(total)}"), total))
    if reader == "auditor":
        lines.append(Sentence(Words(f"条款 {terms}，内容摘要 {content_hash}", f"terms {terms}, content hash {content_hash}")))
    return lines


def _for_reader(line: Sentence, reader: str) -> Sentence:
    said = line.words
    if reader == "worker" or not line.clause or said.zh.endswith(f"（{line.clause}）"):
        return line
    return Sentence(Words(f"{said.zh}（{line.clause}）", f"{said.en} ({line.clause})"), line.amount, line.clause)


def limit_lines(assessment: Mapping[str, Any], *, reader: str, names: Names) -> list[Sentence]:
    """What is left under each limit after this claim: per case, in the period, for one disease, in a lifetime; deductibles and days
    too. A disease is named to nobody but the auditor (in the key)."""
    told = [*_of_the_case(assessment), *(words for use in assessment["usage"] if (words := _line(use, reader, names)))]
    return [Sentence(words) for words in told]


def _of_the_case(assessment: Mapping[str, Any]) -> Iterator[Words]:
    """A limit of each claim begins anew with the next one."""
    for item in assessment["items"]:
        caps = [line["inputs"]["ceiling"] for line in item["trail"] if line["step"] == "ceiling" and line["inputs"]["scope"] == "case"]
        if caps and not item["refused"]:
            most, given = yuan(min(map(Decimal, caps))), yuan(item["amount"])
            yield Words(
                f"每次申领最多给付 {most} 元（{item['name']['zh']}），本次 {given} 元；下一次重新计算",
                f"at most {most} for each claim ({item['name']['en']}): {given} by this one; the next one begins anew",
            )


def _line(use: Mapping[str, Any], reader: str, names: Names) -> Words | None:
    """One limit that counts over claims; nothing to a worker of a sum without an end, which limits nothing."""
    scope, days = use["scope"], use["scope"] == "days"
    if scope in (GIVEN, SET_OFF):
        return None  # the statement itself tells what was set off
    used, taken = Decimal(use["used_before"]), Decimal(use["taken"])
    name = name_of(use["key"], names)
    key = f"［{use['key']}］" if reader == "auditor" else ""
    if scope == "class":
        if reader != "auditor":
            return None
        return Words(
            f"{key}同一类别、有疾病编码的累计（{name.zh}）：此前 {yuan(used)} 元，本次 {yuan(taken)} 元",
            f"{key}of this class, told with a code ({name.en}): {yuan(used)} before, {yuan(taken)} now",
        )
    if scope == "base":
        if reader == "worker":
            return None
        return Words(
            f"{key}本保障期内累计计算基数（{name.zh}）：此前 {yuan(used)} 元，本次 {yuan(taken)} 元",
            f"{key}base of calculation so far ({name.en}): {yuan(used)} before, {yuan(taken)} now",
        )
    left = max(Decimal(0), Decimal(use["left"]))  # later terms may set a lower limit for life than was used under earlier ones
    figures = (Decimal(use["ceiling"]), used, taken, used + taken, left)
    whole, before, now, so_far, rest = (_whole(one) if days else yuan(one) for one in figures)
    zh, en = ("天", " days") if days else ("元", "")
    lead = SAYS[scope]
    if reader == "worker":
        return Words(
            f"{lead.zh} {whole} {zh}（{name.zh}），{_USED[scope].zh} {so_far} {zh}（其中本次 {now} {zh}），{_LEFT[scope].zh} {rest} {zh}",
            f"{lead.en} {whole}{en} ({name.en}): {so_far}{en} {_USED[scope].en}, {now} of it by this claim; {rest}{en} {_LEFT[scope].en}",
        )
    return Words(
        f"{key}{lead.zh} {whole} {zh}（{name.zh}），此前 {before} {zh}，本次 {now} {zh}，{_LEFT[scope].zh} {rest} {zh}",
        f"{key}{lead.en} {whole}{en} ({name.en}): {before} before, {now} now, {rest}{en} {_LEFT[scope].en}",
    )


def _whole(days: Decimal) -> str:
    return f"{days:f}"


_CEILINGS = LASTING
_USED = dict.fromkeys(_CEILINGS, Words("已用", "used")) | {"deductible": Words("已扣", "borne"), "days": Words("已计", "counted")}
_LEFT = dict.fromkeys((*_CEILINGS, "days"), Words("还剩", "left")) | {"deductible": Words("还要扣", "still to be borne")}
