"""What a case comes to under a plan, as JSON: the amount, every item, the statement, the reasons, and may the person join at all.
Stores nothing.

    manage.py assess national-inpatient case.json
    manage.py assess fuzhou-medical case.json --on 2010-06-01
    manage.py assess drafts/our-plan.2027.yaml case.json

The terms are those of the cover: of its first day, of the day of joining, or of the day it happened; never of the day of
asking. docs/plans.md lists the fields of a case.
"""

import json
from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from programs.rules.applicant import judged, may_join
from programs.rules.assess import Assessment, assess
from programs.rules.casefile import CASE, day_told, situation
from programs.rules.eligibility import FAIL, Verdict
from programs.rules.explain import reason_words
from programs.rules.faults import ScheduleError
from programs.rules.limits import limit_names
from programs.rules.outline import EVENT_WORDS
from programs.rules.planfile import plain
from programs.rules.reading import READERS, statement
from programs.rules.schedule import Schedule
from programs.services import PlanRefused
from programs.sources import Source, catalogue_plan, plan_of_file
from unionaid.lib.calendar import DateError, parse_date


class Command(BaseCommand):
    help = "Assess a case under a plan and print the result as JSON."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("plan", metavar="PLAN", help="a catalogue code, code@version, or the path of a plan file")
        parser.add_argument("case", metavar="CASE.json", type=Path, help="the case, as docs/plans.md describes it")
        parser.add_argument("--on", metavar="DATE", help="the day it happened, or of the claim when the case tells its own day")

    def handle(self, *args: Any, plan: str, case: Path, on: str | None, **options: Any) -> None:
        try:
            day = parse_date(on) if on else None
        except DateError as error:
            raise CommandError(f"--on：{error}") from error
        told = _read_case(case)
        try:
            happened, cover_start, joined_on = day_told(told), _day(told, "cover_start"), _day(told, "joined_on")
            since = told.get("days_since_cover")
            source = _source(
                plan, on=cover_start or happened or day, joined_on=None if cover_start else joined_on,
                since=since if CASE["days_since_cover"][0](since) else None,
            )  # fmt: skip
            if day:
                told.setdefault("claimed_on" if happened else "event_on", day.isoformat())
            facts = situation(source.schedule, told)
        except ScheduleError as error:
            raise CommandError(error.in_language(get_language() or "zh")) from error
        except PlanRefused as refused:
            raise CommandError(refused.message) from refused
        found = assess(source.schedule, person=facts.person, cover=facts.cover, case=facts.case, prior=facts.prior)
        verdicts = judged(source.schedule, told, cover_start=facts.cover.period.start)
        self.stdout.write(json.dumps(_answer(source, found, verdicts), ensure_ascii=False, indent=2))


def _read_case(path: Path) -> dict[str, Any]:
    try:
        data = plain(json.loads(path.read_text("utf-8-sig"), parse_float=str, object_pairs_hook=_once))
    except OSError as error:
        raise CommandError(_("打不开案例文件 {path}。").format(path=path)) from error
    except ScheduleError as error:
        raise CommandError(error.placed(path.name, {}).in_language(get_language() or "zh")) from error
    except (ValueError, RecursionError) as error:
        raise CommandError(_("{path} 不是能读的 JSON：{why}").format(path=path, why=error)) from error
    if not isinstance(data, dict):
        raise CommandError(_("{path} 应是 {{…}} 形式的案例。").format(path=path))
    return data


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(_("字段“{key}”写了两次").format(key=key))
        found[key] = value
    return found


def _day(told: dict[str, Any], name: str) -> date | None:
    try:
        return date.fromisoformat(str(told.get(name, "")))
    except ValueError:
        return None  # `situation` names the field of one that is none


def _source(plan: str, *, on: date | None, joined_on: date | None, since: int | None) -> Source:
    path = Path(plan)
    if path.suffix in (".yaml", ".yml") or path.exists():
        return plan_of_file(path)
    return catalogue_plan(plan, on=on, joined_on=joined_on, since=since)


def _answer(source: Source, found: Assessment, verdicts: tuple[Verdict, ...]) -> dict[str, Any]:
    data = found.as_data()
    schedule: Schedule = source.schedule
    terms, names = f"{schedule.code} {schedule.version}", limit_names(schedule)
    return {
        "plan": {"code": schedule.code, "version": schedule.version, "content_hash": source.content_hash, "from": source.origin},
        "amount": data["total"],
        "items": [
            {key: item[key] for key in ("code", "name", "clause", "fund", "amount")} | {"trail": item["trail"]} for item in data["items"]
        ],
        "limits": data["usage"],
        "may_join": may_join(verdicts),
        "eligibility": [_rule(verdict) for verdict in verdicts],
        "reasons": [_rule(verdict) | {"item": None} for verdict in verdicts if verdict.outcome == FAIL]
        + _no_item(schedule, found)
        + [
            {
                "item": item["code"],
                "code": item["refused"]["code"],
                "clause": item["refused"]["clause"],
                "zh": reason_words(item["refused"]["code"], item["refused"]["inputs"]).zh,
                "en": reason_words(item["refused"]["code"], item["refused"]["inputs"]).en,
            }
            for item in data["items"]
            if item["refused"]
        ],
        "missing": list(found.missing),
        "statement": {
            reader: {
                language: [
                    line.words.in_language(language)
                    for line in statement(data, reader=reader, names=names, terms=terms, content_hash=source.content_hash)
                ]
                for language in ("zh", "en")
            }
            for reader in READERS
        },
    }


def _no_item(schedule: Schedule, found: Assessment) -> list[dict[str, Any]]:
    """Why there is nothing where no item was even asked: the plan has none for what happened."""
    if found.items:
        return []
    zh, en = ("、".join(EVENT_WORDS[event].zh for event in schedule.events), ", ".join(EVENT_WORDS[event].en for event in schedule.events))
    words = f"没有一个保障项目对应这种事情；本计划有：{zh}", f"no item of the plan answers to what happened; it has: {en}"
    return [{"item": None, "code": "no_item", "clause": "", "zh": words[0], "en": words[1]}]


def _rule(verdict: Verdict) -> dict[str, Any]:
    """One rule's answer: pass, fail or unknown, why, and what would settle or change it."""
    paper = verdict.evidence_words
    return {
        "rule": verdict.rule,
        "outcome": verdict.outcome,
        "zh": verdict.sentence.zh,
        "en": verdict.sentence.en,
        "evidence": {"zh": paper.zh, "en": paper.en} if paper else None,
    }
