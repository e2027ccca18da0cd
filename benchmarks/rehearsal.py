"""How long a rehearsal of 260,000 decided claims takes: the job's own service, over one office, from first to last part.

    export DATABASE_URL=… DATABASE_OWNER_URL=…     a migrated database without people, claims or programs; never one in use
    python benchmarks/rehearsal.py [PLAN]

Makes, by the owner and set by set, an office with 300,000 enrolments of 300,000 people under PLAN (default: the bands and the
ceiling of shaanxi-yulin-medical.2026) and 260,000 claims of 208,000 of them, decided in one year, with a stay each; 40,000 claims
of another office stand beside them. Then a draft that differs is rehearsed. BENCH_CLAIMS (260000) sets
how many. What was made stays: drop the database afterwards.
"""

import os
import sys
import time
from datetime import date
from pathlib import Path

import psycopg2
import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "unionaid.settings")

import django  # noqa: E402 (the path comes first)

django.setup()

from django.db import connection  # noqa: E402

from benchmarks.loads import completed  # noqa: E402
from claims.models import Rehearsal  # noqa: E402
from claims.selectors.rehearsed import compared, found_in  # noqa: E402
from claims.services import rehearsal as rehearsals  # noqa: E402
from programs.models import Program, Terms  # noqa: E402
from programs.rules.planfile import read_plan  # noqa: E402
from programs.services import check, load_plan, publish  # noqa: E402
from unionaid.accounts.models import User  # noqa: E402
from unionaid.offices.models import Office  # noqa: E402
from unionaid.offices.roles import SYSTEM  # noqa: E402
from unionaid.offices.scope import everywhere  # noqa: E402
from unionaid.offices.services import add_office  # noqa: E402
from unionaid.workflow.jobs import run_due  # noqa: E402
from unionaid.workflow.models import Job  # noqa: E402

PLAN = sys.argv[1] if len(sys.argv) > 1 else "shaanxi-yulin-medical.2026"
CLAIMS = int(os.environ.get("BENCH_CLAIMS", "260000"))
PEOPLE, BESIDE = CLAIMS * 15 // 13, CLAIMS * 2 // 13

# Claims are spread over the year; every fifth person who claims does so twice; large bills are rare; one in 25 was refused by the
# rules.
_ROWS = """
INSERT INTO members_member (id, id_hash, name, gender, birth_date, office_id, office_ids, unit_ids, employment, insurance_type, risk,
  staff_group)
SELECT i, decode(md5(i::text), 'hex'), '张伟' || i %% 997, CASE WHEN i %% 5 < 2 THEN 'female' ELSE 'male' END,
  date '1967-01-01' + (i %% 12000)::int, %(office)s, ARRAY[%(office)s], '{}', 'enterprise', 'employee', '', ''
FROM generate_series(%(first)s, %(first)s + %(people)s - 1) i;

INSERT INTO members_enrolment (id, version, public_id, office_id, member_id, holder_id, relation, program_id, terms_id, shares, cover,
  waiting_waived, first_time, contribution_fen, state)
SELECT i, 1, gen_random_uuid(), %(office)s, i, i, 'self', %(program)s, %(terms)s, 1, daterange('2026-01-01', '2027-01-01'),
  i %% 3 > 0, i %% 3 = 0, 12500, 'effective'
FROM generate_series(%(first)s, %(first)s + %(people)s - 1) i;

INSERT INTO claims_claim (id, version, public_id, number, member_id, claimant_id, enrolment_id, program_id, terms_id, office_id,
  fund, event, event_kind, event_on, happened, hospital, diagnosis, diagnosis_code, diagnosis_class, circumstances, state,
  held_state, stood_days, message, reason_code, reason_clause, approved_fen, submitted_at, approved_at)
SELECT n, 1, gen_random_uuid(), 'SL26' || lpad(n::text, 9, '0'), who, who, who, %(program)s, %(terms)s, %(office)s, 'mutual_aid', %(event)s,
  '', NULL, '', '', '', 'K35.8', '', '{}', CASE WHEN bad THEN 'rejected' ELSE 'paid' END, '', 0, '',
  CASE WHEN bad THEN 'not_listed' ELSE '' END, CASE WHEN bad THEN '7' ELSE '' END, CASE WHEN bad THEN NULL ELSE 1000 + n %% 400000 END, at,
  CASE WHEN bad THEN NULL ELSE at + interval '9 days' END
FROM (SELECT %(first)s + i - 1 AS n, %(first)s + (i * 7919) %% (%(people)s * 5 / 6 * 5 / 6) AS who,
        timestamptz '2026-02-10 09:00+08' + (i %% 300) * interval '1 day' AS at, i %% 25 = 0 AS bad
      FROM generate_series(1::bigint, %(claims)s) i) c;

INSERT INTO claims_admission (claim_id, admitted_on, discharged_on, setl_id, invoice_number, medfee_sumamt_fen, fulamt_ownpay_amt_fen,
  overlmt_selfpay_fen, preselfpay_amt_fen, inscp_scp_amt_fen, act_pay_dedc_fen, hifp_pay_fen, cvlserv_pay_fen, hifob_pay_fen,
  oth_pay_fen, fund_pay_sumamt_fen, acct_pay_fen, psn_cash_pay_fen, psn_part_amt_fen, hosp_part_amt_fen,
  hifmi_pay_fen, hifes_pay_fen, maf_pay_fen, acct_mulaid_pay_fen, hospital_grade)
SELECT n, submitted_at::date - 20, submitted_at::date - 20 + (3 + n %% 12)::int, '', '', 3 * own, own / 10, 0, own / 20, 2 * own,
  own / 5, 2 * own, 0, 0, 0, 2 * own, own / 4, own - own / 4, own, 0, 0, 0, 0, 0, 1 + n %% 3
FROM (SELECT id AS n, submitted_at, (20000 + 4000000 / (1 + id * 7 %% 97) + id %% 991)::bigint AS own FROM claims_claim
      WHERE office_id = %(office)s) c;

INSERT INTO claims_review (claim_id, decision, by_id, at, reason_code, note)
SELECT c.id, d.decision, %(user)s, c.submitted_at + d.after, c.reason_code, ''
FROM claims_claim c CROSS JOIN LATERAL (VALUES ('review', interval '5 days'),
  (CASE WHEN c.state = 'rejected' THEN 'reject' ELSE 'approve' END, interval '9 days')) d (decision, after)
WHERE c.office_id = %(office)s;
"""


def changed(name: str) -> bytes:
    """The plan a year later: bands five points lower, ceilings a fifth higher."""
    data = yaml.safe_load((ROOT / "programs" / "catalogue" / f"{name}.yaml").read_text("utf-8"))
    data |= {"version": "draft", "period": {"start": date(2027, 1, 1), "end": date(2027, 12, 31)}, "examples": []}
    for step in (step for item in data["items"] for step in item["steps"]):
        for band in step.get("marginal", {}).get("bands", ()):
            band["ratio"] = f"{float(band['ratio']) - 0.05:.2f}"
        if "ceiling" in step:
            step["ceiling"]["amount"] = str(int(step["ceiling"]["amount"]) * 6 // 5)
    return yaml.safe_dump(data, allow_unicode=True).encode()


def make() -> tuple[Office, Terms]:
    """The office and the draft; the claims stand in the database. Refuses a database in which anything is."""
    with everywhere(reason="measure"), connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM members_member) OR EXISTS (SELECT 1 FROM claims_claim)")
        if cursor.fetchone()[0] or Program.objects.exists() or Office.objects.exists():
            sys.exit("This database is not empty. Measure in one of its own.")
        user = User.objects.create_user("measuring", None, display_name="Measuring")
        top = add_office(code="000000", name="Measured", level="headquarters", parent=None)
        raw = (ROOT / "programs" / "catalogue" / f"{PLAN}.yaml").read_bytes()
        office = add_office(code=yaml.safe_load(raw).get("office", "610800"), name="Office", level="office", parent=top)
        other = add_office(code="610100", name="Other", level="office", parent=top)
        terms = publish(check(load_plan(read_plan(raw, source=PLAN), by=SYSTEM).terms, by=SYSTEM), by=SYSTEM)
        draft = load_plan(read_plan(changed(PLAN), source="draft"), by=SYSTEM).terms
    con = psycopg2.connect(os.environ["DATABASE_OWNER_URL"])
    with con, con.cursor() as cursor:
        cursor.execute("SET unionaid.offices = '*'")
        for whose, first, claims, people in ((office, 1, CLAIMS, PEOPLE), (other, 10_000_000, BESIDE, BESIDE)):
            values = {"office": whose.pk, "first": first, "claims": claims, "people": people}
            cursor.execute(completed(_ROWS), values | {"program": terms.program_id, "terms": terms.pk, "event": "admission", "user": user.pk})
    con.autocommit = True
    with con.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
    con.close()
    return office, draft


def main() -> None:
    began = time.perf_counter()
    office, draft = make()
    print(f"# {CLAIMS:,} claims of {PEOPLE:,} people ({BESIDE:,} of another office beside) made in {time.perf_counter() - began:.0f} s")
    with everywhere(reason="measure"):
        asked = rehearsals.request(draft, office, 2026, by=SYSTEM)
    began, busy = time.perf_counter(), time.process_time()
    run_due("reports")
    took, busy = time.perf_counter() - began, time.process_time() - busy
    with everywhere(reason="look"):
        work = Job.objects.get(key=rehearsals.job_key(asked))
        found = Rehearsal.objects.select_related("office", "terms__program").get(pk=asked.pk)
        if found.frozen_at is None:
            sys.exit(f"The job is {work.job_state}: {work.error}")
    tally, charged = found_in(found)
    sides = compared(tally, charged)
    assert tally.claims + tally.unknown_claims == CLAIMS
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version'), current_setting('fsync')")
        version, fsync = cursor.fetchone()
    print(f"PostgreSQL {version}, fsync {fsync}; Python {sys.version.split()[0]}; {PLAN}, parts of {rehearsals.PART:,}")
    print(f"rehearsed in {took:.1f} s: {CLAIMS / took:,.0f} claims a second; {busy:.1f} s of them in Python")
    print(f"people {tally.people:,}, gains {tally.gain_claims:,}, losses {tally.loss_claims:,}")
    print(f"paid {sides.benefits_fen[0] / 100:,.0f} yuan before, {sides.benefits_fen[1] / 100:,.0f} after")


main()
