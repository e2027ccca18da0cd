"""The pure half of a rehearsal: one person's past cases under other terms, and tallies that add up."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from programs.rules.facts import CaseFacts, CoverFacts, PersonFacts, Settlement, Stay
from programs.rules.joining import JoiningRules
from programs.rules.parse import parse
from programs.rules.planfile import read_plan
from programs.rules.rehearsal import BEST, PastCase, StepSum, Tally, rehearsed, step_in_words
from programs.rules.schedule import Schedule
from tests.programs.rules.plans import item as benefit
from unionaid.lib.calendar import Period

CATALOGUE = Path(__file__).resolve().parents[3] / "programs" / "catalogue"
YEAR = Period(date(2025, 1, 1), date(2026, 1, 1))
DAY = date(2025, 6, 1)
WORKER = PersonFacts(date(1985, 1, 1), "male", "enterprise", union_member=True, basic_insurance=True, insurance_type="employee")

JOINING = {"opens": "2025-10-01", "closes": "2026-12-31", "shares": {"max": 3}}


def plan(name: str, **changed: Any) -> Schedule:
    data = yaml.safe_load((CATALOGUE / f"{name}.yaml").read_text("utf-8")) | changed
    return parse(read_plan(yaml.safe_dump(data, allow_unicode=True).encode(), source=name).data)


def past(key: int, cost: str, before_fen: int, **changed: Any) -> PastCase:
    """A stay in hospital of somebody of forty."""
    amount = Decimal(cost)
    stay = Stay(DAY, date(2025, 6, 9), Settlement(medfee_sumamt=amount, psn_part_amt=amount, psn_cash_pay=amount))
    told = {
        "key": key, "number": f"SL{key}", "who": 1, "cover_key": 1, "person": WORKER,
        "cover": CoverFacts(YEAR), "case": CaseFacts("admission", DAY, (stay,)), "before_fen": before_fen,
    }  # fmt: skip
    return PastCase(**(told | changed))


def test_a_ceiling_is_used_up_by_what_these_terms_give() -> None:
    yulin, tally = plan("shaanxi-yulin-medical.2026"), Tally()
    tally.add(JoiningRules(yulin), [past(1, "98000.00", 100), past(2, "98000.00", 100), past(3, "98000.00", 100, cover_key=2)])
    assert tally.after_fen == 5_000_000 + 0 + 5_000_000  # 1,600 + 5,600 + 44,000 are more than a period gives
    assert (tally.gain_claims, tally.loss_claims, tally.no_longer_paid) == (2, 1, 1)
    assert (tally.claims, tally.people, tally.items["inpatient"].people) == (3, 1, 1)


def test_a_case_before_the_year_uses_up_and_does_not_count() -> None:
    yulin, tally = plan("shaanxi-yulin-medical.2026"), Tally()
    tally.add(JoiningRules(yulin), [past(1, "98000.00", 100, counted=False), past(2, "98000.00", 100)])
    assert (tally.claims, tally.before_fen, tally.after_fen) == (1, 100, 0)
    assert tally.steps["inpatient", 0, "take", ""].times == 1


def test_a_limit_that_a_later_step_went_beyond_is_told_after_all_steps() -> None:
    steps = [{"take": "personal_cost"}, {"ceiling": {"amount": "500", "scope": "case"}}, {"shares": 3}]
    schedule, tally = plan("shaanxi-yulin-medical.2026", items=[benefit(*steps)], enrolment=JOINING, examples=[]), Tally()
    tally.add(JoiningRules(schedule), [past(1, "1000.00", 0, cover=CoverFacts(YEAR, 2))])
    told = [(found.given, step_in_words(schedule.items[0], key, found).zh) for key, found in tally.steps.items()]
    assert [given for given, _words in told] == [1000, 500, 1000, 500]
    assert told[3][1] == "各步算完，仍不超过前面的封顶"


def test_the_ordinal_of_a_stay_goes_on_over_claims() -> None:
    step = [{"take": "personal_cost"}, {"per_admission": ["0.50", "0.20"]}]
    item = {"code": "stay", "name": {"zh": "住院", "en": "stay"}, "clause": "一", "events": ["admission"], "steps": step}
    tally = Tally()
    cases = [past(key, "100.00", 0) for key in (1, 2, 3)]
    tally.add(JoiningRules(plan("shaanxi-yulin-medical.2026", items=[item], examples=[])), cases)
    assert tally.after_fen == 5_000 + 2_000 + 2_000
    parts = {key[3]: str(one.given) for key, one in tally.steps.items() if key[2] == "admission"}
    assert parts == {"1": "50.0000", "2": "20.0000", "3": "20.0000"}


def test_only_admissions_to_hospital_count_as_such() -> None:
    """As in a real claim: neither an outpatient bill nor the stay of a diagnosis makes the next admission a second one."""
    stay = benefit({"take": "personal_cost"}, {"per_admission": ["0.80", "0.50"]}, code="stay")
    rest = benefit({"take": "personal_cost"}, {"ratio": "0.50"}, code="rest", events=("outpatient", "diagnosis"))
    rules = JoiningRules(plan("shaanxi-yulin-medical.2026", items=[stay, rest], examples=[]))
    last = past(3, "1000.00", 0)
    assert last.case
    given = {}
    for event in ("outpatient", "diagnosis", "admission"):
        tally = Tally()
        tally.add(rules, [past(1, "100.00", 0, case=replace(last.case, event=event)), last])
        given[event] = tally.items["stay"].fen
    assert given == {"outpatient": 80_000, "diagnosis": 80_000, "admission": 80_000 + 50_000}


def test_tallies_of_parts_kept_as_data_add_up_to_the_whole() -> None:
    yulin = plan("shaanxi-yulin-medical.2026")
    people = [[past(10 * i + j, f"{700 * i + 31 * j}.37", 90_000, who=i) for j in range(1, 4)] for i in range(1, 60)]
    whole, kept = Tally(), {}
    for cases in people:
        whole.add(JoiningRules(yulin), cases)
        part = Tally.from_data(kept)
        part.add(JoiningRules(yulin), cases)
        kept = part.as_data()
    assert kept == whole.as_data()
    assert whole.claims == 177
    assert whole.gain_fen - whole.loss_fen == whole.after_fen - whole.before_fen
    assert sum(own.fen for own in whole.items.values()) == whole.after_fen


def test_the_greatest_changes_are_kept_however_many_there_are() -> None:
    yulin, tally = plan("shaanxi-yulin-medical.2026"), Tally()
    for i in range(12 * BEST):
        tally.add(JoiningRules(yulin), [past(i, "1000.00", (i * 7919) % 5000, who=i)])
    kept = tally.as_data()["gains"]
    assert len(kept) == BEST
    assert [one[4] for one in kept] == sorted((i * 7919) % 5000 for i in range(12 * BEST))[:BEST]


def test_a_case_that_tells_no_day_is_unknown() -> None:
    tally = Tally()
    tally.add(JoiningRules(plan("shaanxi-yulin-medical.2026")), [past(1, "1.00", 500, case=None)])
    assert (tally.claims, tally.unknown_claims, tally.unknown_fen, tally.unknown_facts) == (0, 1, 500, {"stays": 1})


def test_fixed_days_to_claim_are_dropped_and_lengths_of_time_stay() -> None:
    fixed = plan("shaanxi-yulin-medical.2026", claim_within={"until": {"default": date(2026, 1, 1)}})
    assert rehearsed(fixed).claim_window is None
    assert rehearsed(plan("shaanxi-yulin-medical.2026")).claim_window is not None


def test_every_step_and_part_of_the_catalogue_has_words() -> None:
    """Each step as it may stand in a tally, of every plan of the catalogue."""
    named = 0
    for file in sorted(CATALOGUE.glob("*.yaml")):
        if "based_on" in (data := yaml.safe_load(file.read_text("utf-8"))) or "includes" in data:
            continue
        for item in plan(file.stem).items:
            for place, step in enumerate(item.steps):
                parts = {
                    "marginal": [("band", str(band[0])) for band in step.data.get("bands", ())],
                    "per_admission": [("admission", "1"), ("admission", "9")],
                    "per_day": [("stay_days", "50")],
                }.get(step.name, [])
                for name, part in [(step.name, ""), *parts]:
                    said = step_in_words(item, (item.code, place, name, part), StepSum(inside=Decimal(3)))
                    assert said.zh
                    assert said.en
                    named += 1
    assert named > 100
