"""What a plan asks of a person beyond what every plan asks: nobody is asked for a fact that changes nothing."""

from programs.rules.schedule import Schedule


def asked(schedule: Schedule) -> frozenset[str]:
    """The facts (named as in `PersonFacts`) that this plan's rules or contributions depend on, beside sex, age, employment,
    basic insurance and union membership."""
    rules, fees = schedule.enrolling, schedule.fees
    found = {
        "joined_unit_on": bool(rules.min_months_in_unit) or any(late.new_hires or late.after_hiring for late in rules.late),
        "insurance_type": bool(rules.insurance_types),
        "contract_months": bool(rules.min_contract_months),
        "retired_on": bool(rules.retired_from or rules.retired_before),
        "card_holder": rules.card_holder or any(fee.card_holder is not None for fee in fees),
        "group": bool(age_groups(schedule)) or any(fee.group for fee in fees),
        "risk": any(fee.risk for fee in fees),
    }
    return frozenset(name for name, needed in found.items() if needed)


def age_groups(schedule: Schedule) -> tuple[str, ...]:
    """The staff groups that have an age of their own, as far as belonging to them changes no contribution: only those may a person
    say of themselves; who pays less or nothing, the unit declares."""
    charged = {fee.group for fee in schedule.fees}
    return tuple(dict.fromkeys(rule.group for rule in schedule.ages if rule.group and rule.group not in charged))
