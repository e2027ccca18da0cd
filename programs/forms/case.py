"""A case to try terms with: as many stays as there were, and what was used before; only what these terms look at is asked."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django import forms
from django.forms import BoundField
from django.http import QueryDict
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from programs.forms.applicant import applicant_fields, applicant_filled, applicant_said
from programs.forms.plain import amount, choice, day, text, whole
from programs.rules.apart import GIVEN, rivals_of
from programs.rules.bases import SETTLEMENT_WORDS, Base
from programs.rules.casefile import STAY
from programs.rules.explain import SCOPE_WORDS, yuan
from programs.rules.facts import ACCIDENTS, AFTER_ACCIDENT, HARDSHIP, SETTLEMENT_FIELDS, Disease
from programs.rules.faults import ScheduleError
from programs.rules.fields import EVENT_WORDS, VALUE_WORDS, key_words, kinds_to_tell
from programs.rules.schedule import Ask, Item, Schedule, Step
from programs.rules.steps import EACH, counted_under
from programs.rules.words import Words
from unionaid.lib.money import yuan_from_fen
from unionaid.web.asking import AskForm, Text
from unionaid.web.fields import DayField, YuanField

TABLES = {"table": "amounts", "scale": "ratios"}
MOST_SHARES, MOST_STAYS = 99, 12
NAMED = {"declared": "figure", "person": "person", "unit": "unit"}  # how fields are called that stand in a part of the case


class Group:
    """Some fields of a form under a heading, shaped as `parts/fields.html` reads a form."""

    def __init__(self, form: forms.Form, title: Text, names: Iterable[str], *, hint: Text = "") -> None:
        self.title, self.hint = title, hint
        self.hidden_fields: list[BoundField] = []
        self.visible_fields: list[BoundField] = [form[name] for name in names if name in form.fields]

    @property
    def has_content(self) -> bool:
        """Is something typed here, or wrong?"""
        return any(field.errors or field.value() not in (None, "", []) for field in self.visible_fields)


class CaseForm(AskForm):
    """A case to try terms with: only what these terms look at is asked; what is left out takes the most ordinary value
    (`rules.casefile`). `stays`: for how many stays it asks; the fields of the first are called as in a case file, those of the
    others with their number before the name."""

    def __init__(self, data: Any, *, schedule: Schedule, stays: int = 1, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.schedule, self.stays = schedule, stays
        self.language = get_language() or "zh"
        self._limits: dict[str, tuple[Step, str]] = {}
        self._parts = {"happened": dict(self._happened()), "cover": dict(self._cover()), "before": dict(self._before())}
        self._parts["applicant"] = dict(applicant_fields(schedule, self.language, beside=self._parts["cover"]))
        self._stays = [self._numbered(dict(self._stay()), number) for number in range(1, stays + 1)]
        self._settlements = [self._numbered(dict(self._settlement()), number) for number in range(1, stays + 1)]
        for fields in (*self._parts.values(), *self._stays, *self._settlements):
            self.fields.update(fields)

    def _numbered(self, fields: dict[str, forms.Field], number: int) -> dict[str, forms.Field]:
        """The fields of one of several stays, its number before their names and words."""
        if self.stays > 1:
            for field in fields.values():
                field.label = _("第 {number} 次住院：{field}").format(number=number, field=field.label)
        return {_name(name, number): field for name, field in fields.items()}

    # -- what is asked -----------------------------------------------------------------------------------------------

    def _happened(self) -> Iterator[tuple[str, forms.Field]]:
        schedule, gates = self.schedule, self._gates
        yield "event", self._choice(_("事由"), [(code, EVENT_WORDS[code]) for code in schedule.events], required=True)
        ill = _("住院填入院日，重病填确诊日。不填按保障开始后第 120 天算")
        yield "event_on", day(_("事发日期"), _("不填按保障开始后第 120 天算") if schedule.events == (HARDSHIP,) else ill)
        waits = schedule.waiting_ends(schedule.period.start) > schedule.period.start
        if set(schedule.events) & set(ACCIDENTS) or waits and set(schedule.events) & set(AFTER_ACCIDENT):
            yield "accident_on", day(_("意外发生日期"), _("不是意外引起的不填"))
        if set(schedule.events) & {"accident_death", "disease_death"}:
            yield "death_on", day(_("身故日期"))
        if classes := self._classes("diagnosis_class"):
            yield "diagnosis_class", self._choice(_("给付类别"), classes)
        if grades := self._classes("disability_grade"):
            yield "disability_grade", self._choice(_("伤残等级"), sorted(grades, key=lambda grade: int(grade[0])))
        by_code = gates & {"diagnosis_in", "once_per_disease"} or any(one.prefixes for one in schedule.exclusions)
        if by_code or any(step.data["scope"] == "disease" for step in self._steps("ceiling")):
            yield "diagnosis_code", text(_("疾病编码"), _("国际疾病分类编码，例如 C50.9"))
        if found := [(one.circumstance, one.name) for one in schedule.exclusions if one.circumstance]:
            choices = [(code, words.in_language(self.language)) for code, words in dict(found).items()]
            yield "circumstances", forms.MultipleChoiceField(
                label=_("审核中发现的除外情形"), choices=choices, required=False, widget=forms.CheckboxSelectMultiple,
                error_messages={"invalid_choice": _("请在列出的情形里选择")},
            )  # fmt: skip
        for ask in schedule.asks:
            yield _figure_name(ask), _figure(ask, self.language)
        if any(step.data["other_aid"] for step in self._steps("offset")):
            yield "other_aid", amount(_("其他渠道已给的补助（元）"), _("没有就填 0"))
        if schedule.claim_window:
            yield "claimed_on", day(_("申领日期"), _("不填不检查申领期限"))
            if kinds := [one for one in kinds_to_tell(schedule) if one[0] != "default"]:
                yield "event_kind", self._choice(_("申领期限按哪一种（截止日期）"), kinds)
            if schedule.claim_window.unit_until:
                yield "by_unit", self._choice(_("由谁申领（不填按职工本人）"), VALUE_WORDS["by_unit"].items())

    def _stay(self) -> Iterator[tuple[str, forms.Field]]:
        by_grade = any(item.asks_grade for item in self.schedule.items)
        if not (self.bases or by_grade or self._steps("per_day", "per_admission", "offset") or "with_admission" in self._gates):
            return
        yield "admitted_on", day(_("入院日期"), _("不填与事发日期相同"))
        yield "discharged_on", day(_("出院日期"))
        yield "days", whole(_("住院天数"), 36500, _("不填按入院和出院日期算"))
        if by_grade:
            grades = [(grade, key_words(grade, "", {})) for grade in ("3", "2", "1")]
            yield "hospital_grade", self._choice(_("医院等级"), grades)
        if self.bases:
            yield "self_pay", amount(_("个人自付（元）"), _("目录以内由个人分担的部分，不含自费"))
            yield "personal_cost", amount(_("个人负担（元）"), _("自付加自费；只写了自付的，这里就当还不知道"))

    def _settlement(self) -> Iterator[tuple[str, forms.Field]]:
        if self.bases or self._steps("offset"):
            for name in SETTLEMENT_FIELDS:
                yield name, amount(SETTLEMENT_WORDS[name].in_language(self.language))

    def _cover(self) -> Iterator[tuple[str, forms.Field]]:
        schedule = self.schedule
        yield "cover_start", day(_("保障开始日期"), _("不填为本期第一天"))
        if schedule.waiting_ends(schedule.period.start) > schedule.period.start or self._steps("wait"):
            yield "days_since_cover", whole(_("上次保障到期后隔了几天"), 36500, _("接上的填 0，首次参加的不填"))
        if schedule.enrolling.max_shares > 1 or self._steps("shares"):
            yield "shares", whole(_("份数"), MOST_SHARES, _("不填为 1 份"), least=1)
        if schedule.enrolling.gender != "any" or "gender" in self._gates:
            genders = [(code, VALUE_WORDS["gender"][code]) for code in ("female", "male")]
            yield "gender", self._choice(_("性别"), genders)
        if "age" in self._gates:
            yield "birth_date", day(_("出生日期"), _("不填按 40 岁算"))

    def _before(self) -> Iterator[tuple[str, forms.Field]]:
        for name, (step, words) in self._limit_fields():
            self._limits[name] = (step, words)
            count = step.name == "per_day"
            yield name, whole(words, 36500) if count else amount(words)
        for item in self.schedule.items:
            if item.has("less_paid"):
                label = _("“{item}”此前为同一疾病付过（元）").format(item=item.name.in_language(self.language))
                yield f"paid:{item.code}", amount(label)
        for item in self._apart:
            label = _("“{item}”本期此前已给付（元）").format(item=item.name.in_language(self.language))
            yield f"given:{item.code}", amount(label, _("同一份保障里与它不同时给付的项目要扣掉"))
        if self._steps("per_admission"):
            yield "admissions_before", whole(_("本期此前住院次数"), 999)
        if "once_per_disease" in self._gates:
            yield "diseases", text(_("此前已给付过的疾病编码"), _("有几个就用逗号分开，例如 C50、I21"))

    # -- the groups of the page --------------------------------------------------------------------------------------

    @property
    def happened(self) -> Group:
        return Group(self, _("发生了什么"), self._parts["happened"])

    @property
    def stay_groups(self) -> list[tuple[int, Group, Group]]:
        """(number, what is usually told of the stay, the whole settlement); none where the terms do not look at stays."""
        words = [base.words.in_language(self.language) for base in self.bases]
        hint = _("这份条款按“{bases}”计算。").format(bases="”“".join(words)) if words else ""
        whole = _("照结算单填写；填了这里，上面的自付和个人负担就不用填。")
        found = []
        for number, (stay, settlement) in enumerate(zip(self._stays, self._settlements, strict=True), start=1):
            title = _("第 {number} 次住院").format(number=number) if self.stays > 1 else _("住院和费用")
            found.append((number, Group(self, title, stay, hint=hint), Group(self, _("按结算单填写全部金额"), settlement, hint=whole)))
        return [one for one in found if one[1].visible_fields]

    @property
    def may_add(self) -> bool:
        return self.stays < MOST_STAYS

    @property
    def after_stays(self) -> list[Group]:
        """How one is covered."""
        return [group for group in (Group(self, _("参加情况"), self._parts["cover"]),) if group.visible_fields]

    @property
    def more(self) -> list[Group]:
        """What is seldom needed."""
        hint = _("本期此前的申领已经用掉的额度、已给付的金额和住院次数；没有就不填。")
        before = Group(self, _("此前用过的额度"), self._parts["before"], hint=hint)
        who = _("填了的逐条核对参加条件，没填的算不知道；能不能参加不影响上面的金额。")
        return [group for group in (before, Group(self, _("这个人能不能参加"), self._parts["applicant"], hint=who)) if group.visible_fields]

    # -- what was said -----------------------------------------------------------------------------------------------

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or {}
        for number, settlement in enumerate(self._settlements, start=1):
            typed = [name for name in settlement if said.get(name) not in (None, "")]
            for name in (_name("self_pay", number), _name("personal_cost", number)):
                if typed and said.get(name) not in (None, ""):
                    self.add_error(name, _("已按结算单填写了金额，这里请留空；或者清空结算单各项"))
        return said

    def case(self) -> dict[str, Any]:
        """The case as a case file holds it (`rules.casefile`); what was left empty is left out."""
        said, case = self.cleaned_data, {}
        for name in (*self._parts["happened"], *self._parts["cover"], *self._parts["before"]):
            if ":" not in name and said.get(name) not in (None, "", []):
                case[name] = _plain(self.fields[name], said[name])
        if "disability_grade" in case:
            case["disability_grade"] = int(case["disability_grade"])
        if "by_unit" in case:
            case["by_unit"] = True
        if declared := self._declared():
            case["declared"] = declared
        stays = [self._stay_said(number) for number in range(1, self.stays + 1)]
        case |= {"stays": stays} if self.stays > 1 else stays[0]
        case |= applicant_said(said)
        if "diseases" in case:
            case["diseases"] = [part for part in re.split(r"[,，、;；\s]+", case["diseases"]) if part]
        disease = Disease.of(case.get("diagnosis_code", ""), case.get("diagnosis_class", "")).key
        given = {f"{GIVEN}:{item.code}": said.get(f"given:{item.code}") for item in self._apart}
        told = {key: str(yuan_from_fen(fen)) for key, fen in given.items() if fen not in (None, "")}
        if used := dict(self._used(disease)) | told:
            case["used"] = used
        paid = {name.partition(":")[2]: _plain(self.fields[name], said[name]) for name in said if name.startswith("paid:")}
        if any(paid.values()):
            case["paid_items"] = {code: amount for code, amount in paid.items() if amount}
        return case

    def _declared(self) -> dict[str, str]:
        told = {ask.code: (_figure_name(ask), self.cleaned_data.get(_figure_name(ask))) for ask in self.schedule.asks}
        return {code: str(_plain(self.fields[name], value)) for code, (name, value) in told.items() if value not in (None, "")}

    def _stay_said(self, number: int) -> dict[str, Any]:
        """One stay as a case file holds it."""
        found = {}
        for name in (*self._stays[number - 1], *self._settlements[number - 1]):
            value = self.cleaned_data.get(name)
            if value not in (None, ""):
                found[_plain_name(name)] = _plain(self.fields[name], value)
        if "hospital_grade" in found:
            found["hospital_grade"] = int(found["hospital_grade"])
        return found

    def _used(self, disease: str) -> Iterator[tuple[str, str]]:
        for name, (step, _words) in self._limits.items():
            value = self.cleaned_data.get(name)
            if value not in (None, ""):
                for key in _keys(step, disease):
                    yield key, _plain(self.fields[name], value) if step.name != "per_day" else str(value)

    def refuse_case(self, error: ScheduleError) -> None:
        """Each fault of the case at its field."""
        for fault in error.faults:
            where = [*fault.path, "", "", ""]
            number = where[2] + 1 if where[1] == "stays" and isinstance(where[2], int) else 1
            name = str(where[3] if where[1] == "stays" else where[1])
            if where[1] in NAMED:
                name = f"{NAMED[where[1]]}:{where[2]}"
            self.refuse(fault.words.in_language(self.language), _name(name, number) if name else "")

    def fill(self, case: Mapping[str, Any]) -> dict[str, Any]:
        """A written case as the initial values of this form."""
        found = {name: value for name, value in case.items() if name in self.fields}
        found |= {"by_unit": "yes"} if case.get("by_unit") else {}
        for number, stay in enumerate(case.get("stays", ()), start=1):
            found |= {_name(name, number): value for name, value in stay.items() if _name(name, number) in self.fields}
        if "diseases" in case:
            found["diseases"] = "、".join(case["diseases"])
        disease = Disease.of(case.get("diagnosis_code", ""), case.get("diagnosis_class", "")).key
        for name, (step, _words) in self._limits.items():
            for key in _keys(step, disease):
                if key in case.get("used", {}):
                    found[name] = case["used"][key]
        found |= {key: sum_ for key, sum_ in case.get("used", {}).items() if key in self.fields}
        found |= {f"figure:{code}": figure for code, figure in case.get("declared", {}).items()}
        found |= {name: value for name, value in applicant_filled(case).items() if name in self.fields}
        return found | {f"paid:{code}": amount for code, amount in case.get("paid_items", {}).items()}

    # -- the terms' own data -----------------------------------------------------------------------------------------

    @property
    def bases(self) -> list[Base]:
        """The bases these terms calculate with."""
        steps = self._steps("take", "add_if_over", "up_to_cost")
        return list(dict.fromkeys(step.data["base"] for step in steps))

    @property
    def _gates(self) -> set[str]:
        return {gate.name for item in self.schedule.items for gate in item.gates}

    @property
    def _apart(self) -> list[Item]:
        """The items of which another that comes in claims of its own excludes each."""
        return [item for item in self.schedule.items if rivals_of(self.schedule, item)]

    def _steps(self, *names: str) -> list[Step]:
        return [step for item in self.schedule.items for step in item.steps if step.name in names]

    def _classes(self, by: str) -> list[tuple[str, Words]]:
        found: dict[str, Words] = {}
        for step in self._steps(*TABLES):
            if step.data["by"] == by:
                found |= {key: key_words(key, "amounts", step.data["labels"]) for key in step.data[TABLES[step.name]]}
        alike = [words for words in found.values() if list(found.values()).count(words) > 1]
        return [(key, _numbered(words, i) if words in alike else words) for i, (key, words) in enumerate(found.items(), start=1)]

    def _limit_fields(self) -> Iterator[tuple[str, tuple[Step, str]]]:
        """One field for each limit that counts over claims."""
        seen: set[str] = set()
        for item in self.schedule.items:
            for step in item.steps:
                for key in _keys(step, "x"):
                    if key not in seen:
                        seen.add(key)
                        yield f"used:{len(seen)}", (step, self._limit_words(step, item.name))

    def _limit_words(self, step: Step, item: Words) -> str:
        own = item.in_language(self.language)
        if step.name == "per_day":
            return _("“{item}”本期此前已计的天数").format(item=own)
        if step.name == "deduct":
            return _("“{item}”本期此前已扣的起付线（元）").format(item=own)
        if step.name == "marginal":
            return _("“{item}”本期此前累计的基数（元）").format(item=own)
        scope, amount = SCOPE_WORDS[step.data["scope"]].in_language(self.language), yuan(step.data["amount"])
        if step.data["key"] == "plan":
            return _("{scope}封顶 {amount} 元（各项合计）此前已用（元）").format(scope=scope, amount=amount)
        return _("“{item}”{scope}封顶 {amount} 元此前已用（元）").format(item=own, scope=scope, amount=amount)

    def _choice(self, label: Text, options: Iterable[tuple[str, Words]], *, required: bool = False) -> forms.Field:
        return choice(label, dict(options), self.language, required=required)


def _figure_name(ask: Ask) -> str:
    return f"figure:{ask.code}"


def _figure(ask: Ask, language: str) -> forms.Field:
    """The field of a figure that these terms ask for."""
    label, hint = ask.name.in_language(language), ask.hint.in_language(language) if ask.hint else ""
    return amount(_("{name}（元）").format(name=label), hint) if ask.in_yuan else whole(label, 10**6, hint)


def _name(name: str, stay: int) -> str:
    """How the field of one stay is called."""
    return name if stay == 1 else f"{stay}-{name}"


def _plain_name(name: str) -> str:
    return name.rpartition("-")[2]


def moved(data: QueryDict, row: str) -> tuple[dict[str, Any], int]:
    """What was typed, with one stay more ("add") or without one of them ("remove:2"), and how many stays there are now."""
    stays = stays_in(data)
    typed = {name: data.getlist(name) if name == "circumstances" else data[name] for name in data}
    act, _colon, told = row.partition(":")
    if act == "add":
        return typed, min(stays + 1, MOST_STAYS)
    gone = int(told) if told.isascii() and told.isdigit() and len(told) < 3 else 0
    if act != "remove" or not 1 <= gone <= stays or stays == 1:
        return typed, stays
    kept: dict[str, Any] = {}
    for name, value in typed.items():
        number, plain = _numbered_name(name)
        if plain not in STAY or number < gone:
            kept[name] = value
        elif number > gone:
            kept[_name(plain, number - 1)] = value
    return kept, stays - 1


def _numbered_name(name: str) -> tuple[int, str]:
    number, dash, plain = name.partition("-")
    return (int(number), plain) if dash and number.isascii() and number.isdigit() and len(number) < 3 else (1, name)


def stays_in(data: Mapping[str, Any]) -> int:
    """How many stays a form that was sent asks for."""
    told = str(data.get("stays", ""))
    return min(max(int(told), 1), MOST_STAYS) if told.isascii() and told.isdigit() and len(told) < 3 else 1


def _numbered(words: Words, number: int) -> Words:
    return Words(f"{words.zh}（{number}）", f"{words.en} ({number})")


def _keys(step: Step, disease: str) -> list[str]:
    """Under which key this step counts over claims, if it does."""
    found = counted_under(step, 1, disease)
    return [found[0].removesuffix(f":{EACH}")] if found else []


def _plain(field: forms.Field, value: Any) -> Any:
    """A clean value as a case file writes it."""
    if isinstance(field, YuanField):
        return str(yuan_from_fen(value)) if value not in (None, "") else ""
    return value.isoformat() if isinstance(field, DayField) else value
