"""A rehearsal's result as tables: page and workbook show the same rows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from claims.models import Rehearsal
from members.selectors.charged import Charged
from programs.rules.explain import FACT_WORDS
from programs.rules.joining import rules_asked
from programs.rules.rehearsal import Tally, step_in_words
from programs.rules.schedule import Schedule
from programs.rules.words import Words
from programs.selectors import schedule_in
from unionaid.lib.money import fen_from_yuan, format_yuan, round_half_up
from unionaid.lib.spreadsheet import Column

REASON_WORDS: dict[str, str | Promise] = {
    "not_covered": gettext_lazy("不在保障期内"),
    "waiting": gettext_lazy("在等待期内"),
    "too_late": gettext_lazy("超过申领期限"),
    "too_late_for_unit": gettext_lazy("超过单位收取的期限"),
    "gender": gettext_lazy("计划不面向该性别的职工"),
    "item_gender": gettext_lazy("本项不面向该性别的职工"),
    "item_relation": gettext_lazy("本项不面向这种关系的人"),
    "item_age_at_start": gettext_lazy("保障开始时的年龄不在本项范围内"),
    "not_admitted": gettext_lazy("不在参加对象之内"),
    "class_not_listed": gettext_lazy("给付类别不在本项的表内"),
    "exclusion": gettext_lazy("属于除外情形"),
    "no_admission": gettext_lazy("没有住院治疗"),
    "not_declared": gettext_lazy("没有申报这一项"),
    "given_before": gettext_lazy("只给一次，此前已给过"),
    "age": gettext_lazy("年龄不在本项范围内"),
    "death_too_late": gettext_lazy("意外后身故超过规定天数"),
    "diagnosis_not_listed": gettext_lazy("疾病不在本项病种内"),
    "hospital_grade": gettext_lazy("医院等级未达到要求"),
    "disease_paid": gettext_lazy("同一疾病此前已给付过"),
    "excluded": gettext_lazy("与较高的一项不同时给付"),
}
# The rules on joining that are asked of the past (`programs.rules.joining`).
RULE_WORDS: dict[str, str | Promise] = {
    "relation": gettext_lazy("关系（本人、配偶、未成年子女）"),
    "minor": gettext_lazy("子女未满 18 周岁"),
    "employment": gettext_lazy("在职情况"),
    "months_in_unit": gettext_lazy("入职月数"),
    "retirement": gettext_lazy("退休日期"),
    "contract": gettext_lazy("劳动合同期限"),
    "basic_insurance": gettext_lazy("参加基本医疗保险"),
    "insurance_type": gettext_lazy("医保种类"),
    "union_member": gettext_lazy("工会会员"),
    "card_holder": gettext_lazy("持有工会会员卡"),
    "gender": gettext_lazy("性别"),
    "age": gettext_lazy("年龄"),
    "items": gettext_lazy("至少有一项保障面向此人"),
}
_ITEM = Column(gettext_lazy("保障项目"), "text", 28)
_CLAIMS = Column(gettext_lazy("件数"), "count", 11)
_AMOUNT = Column(gettext_lazy("金额（元）"), "yuan", 17)
_NUMBER = Column(gettext_lazy("申领编号"), "text", 18)
_CHANGE = (
    _NUMBER,
    Column(gettext_lazy("职工"), "text", 12),
    Column(gettext_lazy("原给付（元）"), "yuan", 15),
    Column(gettext_lazy("测算（元）"), "yuan", 15),
    Column(gettext_lazy("相差（元）"), "yuan", 15),
)


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the result. `claim_ids`: the claim of each row, where a row is a claim."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    hint: str = ""
    has_total: bool = False
    claim_ids: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Compared:
    """The head of a rehearsal: both sides over the same claims and the same enrolments (fen). What cannot be computed stands
    on both sides as it was paid or charged."""

    claims: tuple[int, int]
    benefits_fen: tuple[int, int]
    contributions_fen: tuple[int, int]

    @property
    def ratios(self) -> tuple[Decimal | None, Decimal | None]:
        """赔付率: benefits ÷ contributions, before and after; None without contributions."""
        before, after = (_ratio(paid, due) for paid, due in zip(self.benefits_fen, self.contributions_fen, strict=True))
        return before, after


def compared(tally: Tally, charged: Charged) -> Compared:
    """Before and after."""
    return Compared(
        (tally.before_claims + tally.unknown_paid, tally.after_claims + tally.unknown_paid),
        (tally.before_fen + tally.unknown_fen, tally.after_fen + tally.unknown_fen),
        (charged.before_fen, charged.after_fen),
    )


def found_in(rehearsal: Rehearsal) -> tuple[Tally, Charged]:
    """What a finished rehearsal found."""
    return Tally.from_data(rehearsal.result["tally"]), Charged(**rehearsal.result["charged"])


def tables_of(rehearsal: Rehearsal) -> list[Table]:
    """All tables of a finished rehearsal; one without rows is left out."""
    tally, charged = found_in(rehearsal)
    schedule, people = schedule_in(rehearsal.schedule, rehearsal.content_hash), rehearsal.result["people"]
    tables = [
        _sides(compared(tally, charged)),
        _moved(tally),
        _items(tally, schedule),
        _steps(tally, schedule),
        _reasons(tally, schedule),
        _joining(tally, charged, schedule),
        _changes(_("给付增加最多的 {count} 件"), tally.gains, people, sign=1),
        _changes(_("给付减少最多的 {count} 件"), tally.losses, people, sign=-1),
        _unknown(tally),
    ]
    return [table for table in tables if table.rows]


def _sides(c: Compared) -> Table:
    columns = (
        Column(gettext_lazy("对比"), "text", 14),
        Column(gettext_lazy("给付件"), "count", 12),
        Column(gettext_lazy("给付金额（元）"), "yuan", 18),
        Column(gettext_lazy("互助费（元）"), "yuan", 18),
        Column(gettext_lazy("赔付率"), "ratio", 10),
    )
    rows = [[name, c.claims[i], c.benefits_fen[i], c.contributions_fen[i], c.ratios[i]] for i, name in ((0, _("原来")), (1, _("测算")))]
    apart = [None if None in (a, b) else b - a for a, b in zip(rows[0][1:], rows[1][1:], strict=True)]
    return Table(_("原来与测算"), columns, [*rows, [_("相差"), *apart]], has_total=True)


def _moved(t: Tally) -> Table:
    same = t.claims - t.gain_claims - t.loss_claims
    rows = [
        [_("给付增加"), t.gain_claims, t.gain_fen],
        [_("　其中原来未予给付"), t.newly_paid, None],
        [_("给付减少"), t.loss_claims, -t.loss_fen],
        [_("　其中测算后不再给付"), t.no_longer_paid, None],
        [_("给付不变"), same, 0],
        [_("无法测算"), t.unknown_claims, None],
        [_("合计"), t.claims + t.unknown_claims, t.gain_fen - t.loss_fen],
    ]
    columns = (Column(gettext_lazy("变化"), "text", 26), _CLAIMS, Column(gettext_lazy("金额变化（元）"), "yuan", 17))
    return Table(_("增加与减少"), columns, rows, has_total=True)


def _items(t: Tally, schedule: Schedule) -> Table:
    columns = (
        _ITEM,
        Column(gettext_lazy("依据条款"), "text", 14),
        Column(gettext_lazy("给付件"), "count", 11),
        Column(gettext_lazy("人数"), "count", 11),
        _AMOUNT,
        Column(gettext_lazy("占给付金额"), "ratio", 12),
    )
    rows: list[list[Any]] = []
    for item in schedule.items:
        if own := t.items.get(item.code):
            rows.append([_said(item.name), item.clause, own.claims, own.people, own.fen, _ratio(own.fen, t.after_fen)])
    if rows:
        rows.append([_("合计"), "", t.after_claims, None, t.after_fen, _ratio(t.after_fen, t.after_fen)])
    hint = _("按测算的条款。一件申领可以有几个项目给付，所以各项的件数相加可能大于合计。")
    return Table(_("各保障项目的给付"), columns, rows, hint, has_total=True)


def _steps(t: Tally, schedule: Schedule) -> Table:
    columns = (
        _ITEM,
        Column(gettext_lazy("步骤或分段"), "text", 46),
        Column(gettext_lazy("件次"), "count", 11),
        Column(gettext_lazy("进入的金额（元）"), "yuan", 19),
        Column(gettext_lazy("给出的金额（元）"), "yuan", 19),
    )
    rows: list[list[Any]] = []
    for item in schedule.items:
        own = t.items.get(item.code)
        lines = [(key, found) for key, found in t.steps.items() if key[0] == item.code]
        for key, found in lines:
            _code, place, name, part = key
            inside = None if name == "stay_days" or place == 0 and not part else _fen(found.inside)
            words = _said(step_in_words(item, key, found))
            rows.append([_said(item.name), f"　{words}" if part else words, found.times, inside, _fen(found.given)])
        if own and lines:
            rows.append([_said(item.name), _("给付（取整到分）"), own.claims, None, own.fen])
    hint = _("每一步从上一步的金额算起；缩进的行是下一步的各段。计算按件取整到分，所以最后一步与给付可能相差几分。")
    return Table(_("各步骤和分段的金额"), columns, rows, hint)


def _reasons(t: Tally, schedule: Schedule) -> Table:
    rows = [
        [_said(item.name), str(REASON_WORDS[code]), count]
        for item in schedule.items
        if item.code in t.items
        for code, count in sorted(t.items[item.code].refused.items(), key=lambda one: (-one[1], one[0]))
    ]
    return Table(_("测算后不给付的原因"), (_ITEM, Column(gettext_lazy("原因"), "text", 36), _CLAIMS), rows)


def _joining(t: Tally, charged: Charged, schedule: Schedule) -> Table:
    """Every rule on joining that was asked, also where nobody failed it."""
    columns = (
        Column(gettext_lazy("参加条件"), "text", 30),
        Column(gettext_lazy("申领件：不符合"), "count", 16),
        Column(gettext_lazy("申领件：没有登记"), "count", 18),
        Column(gettext_lazy("参加人次：不符合"), "count", 18),
        Column(gettext_lazy("参加人次：没有登记"), "count", 20),
    )
    told = (t.refused_by, t.join_unknown, charged.refused_by, charged.join_unknown)
    rows = [[str(RULE_WORDS[rule]), *(counts.get(rule, 0) for counts in told)] for rule in rules_asked(schedule)]
    hint = _(
        "测算的条款对人的每一条要求，列在这里的都核对了。一个人可能有几条不符合，所以各条相加可能大于不能参加的件数（{claims} 件，原给付 "
        "{amount} 元）和人次（{heads} 人次）。"
    ).format(claims=f"{t.shut_out:,}", amount=format_yuan(t.shut_out_fen), heads=f"{charged.not_admitted:,}")
    return Table(_("参加条件的核对"), columns, rows, hint)


def _changes(title: str, changes: Sequence[Any], people: Mapping[str, str], *, sign: int) -> Table:
    rows = [[number, people.get(str(who), ""), before, after, sign * by] for by, _key, number, who, before, after in changes]
    return Table(title.format(count=len(rows)), _CHANGE, rows, claim_ids=[one[1] for one in changes])


def _unknown(t: Tally) -> Table:
    rows = [[number, "、".join(_fact_words(fact) for fact in facts)] for _key, number, facts in t.unknown]
    hint = _("测算的条款要问这些内容，而原来的申领或参加时没有填。共 {count} 件，最多列出 {shown} 件；它们按原给付计入两边。").format(
        count=f"{t.unknown_claims:,}", shown=len(rows)
    )
    columns = (_NUMBER, Column(gettext_lazy("缺少的内容"), "text", 40))
    return Table(_("无法测算的申领"), columns, rows, hint, claim_ids=[key for key, _number, _facts in t.unknown])


def _fact_words(fact: str) -> str:
    """What is missing, of the claim or of the person."""
    return _said(FACT_WORDS[fact]) if fact in FACT_WORDS else str(RULE_WORDS[fact])


def notes_of(rehearsal: Rehearsal) -> Iterator[str]:
    """What is counted and how, and what is not."""
    _tally, charged = found_in(rehearsal)
    yield _(
        "申领：当年批准的，以及当年因规则原因（不在保障期、等待期、不在给付范围、超过期限、未达起付线）未予给付的。"
        "因材料等其他原因未予给付的不计。"
    )
    yield _(
        "每件申领按原来的参加记录（保障期、份数）和查明的事实，用测算的条款重新计算。同一人的申领按决定的先后计算，已用的额度、"
        "已给付的疾病和住院次数都以测算的结果累计；年初以前同一保障期或疾病的申领也先算一遍，不计入结果。"
    )
    yield _("等待期和续保免等待按测算的条款判断。份数超过测算条款上限的，按上限计。")
    yield from _joining_notes(rehearsal, charged)
    if rehearsal.schedule.get("claim_within", {}).get("until"):
        yield _("测算的条款写明了具体的申领截止日期。它不能套用到往年，测算时不计申领期限。")
    yield _(
        "互助费：当年开始保障、已经生效的参加记录共 {count} 人次。原来的是应缴且已到账的，测算的是同样的人和份数按测算的条款应收的；"
        "不推测多少人会参加或退出。"
    ).format(count=f"{charged.enrolments:,}")
    if charged.unknown:
        words = _("其中 {count} 人次按测算的条款算不出来（参加条件或收费要问的内容没有登记），按原来的计入两边。")
        yield words.format(count=f"{charged.unknown:,}")
    if charged.not_admitted:
        yield _("其中 {count} 人次不在测算条款的参加对象之内，测算时不收互助费，也不给付。").format(count=f"{charged.not_admitted:,}")
    yield _("赔付率：给付金额 ÷ 互助费。给付金额按核定金额计，与年报按银行到账计的口径不同。")
    yield _("测算只读取申领、参加记录和条款，不改动任何申领、额度和账目。")


def _joining_notes(rehearsal: Rehearsal, charged: Charged) -> Iterator[str]:
    """Which rules on joining were asked, by which facts, and which were not."""
    schedule = schedule_in(rehearsal.schedule, rehearsal.content_hash)
    rules = "、".join(str(RULE_WORDS[rule]) for rule in rules_asked(schedule))
    yield _(
        "参加条件核对了：{rules}。年龄按原来保障开始那天的周岁，性别、关系、是否续保按当时的参加记录；在职情况、工会会员、会员卡、医保、入职日期和合同期限"
        "没有留存当时的，按现在登记的，但原来的条款有同样或更严要求的，参加时已经核对过，不再核对。不符合的按不能参加计：不收互助费，也不"
        "给付；没有登记的单独列出，按原来的计入两边。"
    ).format(rules=rules)
    yield _("没有核对：参加的时间、单位的参加比例和同一单位份数相同。")
    if charged.capped:
        yield _("{count} 人次原来的份数超过测算条款的上限，互助费和给付都按上限计。").format(count=f"{charged.capped:,}")


def _said(words: Words) -> str:
    return words.in_language(get_language() or "zh")


def _fen(amount: Decimal) -> int:
    return fen_from_yuan(round_half_up(amount))


def _ratio(part: int, whole: int) -> Decimal | None:
    return (Decimal(part) / Decimal(whole)).quantize(Decimal("0.0001")) if whole else None
