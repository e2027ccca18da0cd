"""The record of acts under a chain of seals: whoever edits, removes, adds or reorders an entry afterwards breaks it, and the check
names the row. Writers are not slowed: entries are sealed in blocks, block by block, after their transactions have ended.

A block holds the entries of a span of transaction numbers that is over for good: no transaction below the oldest one still running can
write any more. Its digest covers that of the block before and of every row in it. A tail that was cut off leaves a shorter chain that is
sound in itself; it is found by the head that was sent away (`head_line`), so the head belongs off the machine.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.models import Max, Min
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from unionaid.lib.calendar import now
from unionaid.web.alarm import tell_watchers
from unionaid.workflow.models import AuditEntry, AuditSeal

logger = logging.getLogger(__name__)
# Every column, in a text that depends on no setting of the session.
ROW = """sha256(convert_to(jsonb_build_array(e.id, e.office_id, extract(epoch FROM e.at)::text, e.txid, e.actor_id, e.actor_label, e.entity,
  e.entity_id, e.entity_ids, e.action, e.from_state, e.to_state, e.note, e.details)::text, 'UTF8'))"""
# 24 bytes for each row: its key and the first half of its digest.
PIECES = f"SELECT e.id, int8send(e.id) || substr({ROW}, 1, 16) AS piece FROM workflow_auditentry e"
SEAL = f"""
INSERT INTO workflow_auditseal (from_txid, to_txid, count, pieces, previous, digest)
SELECT %(from)s, %(to)s, count(*), coalesce(string_agg(piece, ''::bytea ORDER BY id), ''), %(previous)s,
       sha256(%(previous)s || int8send(%(from)s) || int8send(%(to)s) || coalesce(string_agg(piece, ''::bytea ORDER BY id), ''))
FROM ({PIECES} WHERE e.txid >= %(from)s AND e.txid < %(to)s) sealed HAVING count(*) > 0
RETURNING count"""
# What stands now beside what was sealed; one row for each difference.
COMPARE = f"""
WITH kept AS (
  SELECT ('x' || encode(substr(s.pieces, (24 * n + 1)::int, 8), 'hex'))::bit(64)::bigint AS id,
         substr(s.pieces, (24 * n + 1)::int, 24) AS piece
  FROM workflow_auditseal s CROSS JOIN generate_series(0, s.count - 1) n WHERE s.id = %(seal)s),
found AS ({PIECES} WHERE e.txid >= %(from)s AND e.txid < %(to)s)
SELECT id, CASE WHEN found.piece IS NULL THEN 'gone' WHEN kept.piece IS NULL THEN 'added' ELSE 'changed' END
FROM kept FULL JOIN found USING (id) WHERE kept.piece IS DISTINCT FROM found.piece ORDER BY id"""
WHOLE = """
SELECT digest = sha256(previous || int8send(from_txid) || int8send(to_txid) || pieces) AND octet_length(pieces) = 24 * count
FROM workflow_auditseal WHERE id = %s"""
# A seal is set every hour; nothing that is written runs so long that it holds up three of them.
UNSEALED_AT_MOST = timedelta(hours=3)
ALONE = 7_301_944  # the number of the lock under which seals are set, one after the other


WHAT = {
    "gone": gettext_lazy("记录 {key} 被删除"),
    "added": gettext_lazy("记录 {key} 是后来加进去的"),
    "changed": gettext_lazy("记录 {key} 被改动"),
    "seal": gettext_lazy("第 {key} 个封存块本身被改动"),
    "link": gettext_lazy("第 {key} 个封存块与前一块接不上"),
    "late": gettext_lazy("从记录 {key} 起超过三个小时没有封存：封存停了，或者封存块被删掉了"),
    "head": gettext_lazy("第 {key} 个送出的校验值已不在链上：链的末尾被截断或整条被换过"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """Where the record is not what was sealed: of one entry ("gone", "added", "changed"), of a seal ("seal"), or of the chain
    ("link", "late", "head")."""

    what: str
    key: int

    def __str__(self) -> str:
        return str(WHAT[self.what]).format(key=self.key)


@transaction.atomic
def seal(*, upto: int | None = None) -> int:
    """Seal what was written since the last seal and is over; how many entries. Two at once seal one after the other. `upto`: the number
    of a transaction (exclusive) below which nobody writes any more, where the caller knows better than the server, for which everything
    that runs in any of its databases may still write here."""
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ALONE])
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint, pg_current_xact_id()::text::bigint")
        oldest, own = cursor.fetchone()
        last = _last()
        since = last.to_txid if last else 0
        if own < since:  # a dump was read into another cluster: its numbers must first be raised above the old ones
            raise RuntimeError(f"transaction numbers went back from {since} to {own}: raise them (pg_resetwal -x) before work goes on")
        upto = oldest if upto is None else upto
        if upto <= since:
            return 0
        cursor.execute(SEAL, {"from": since, "to": upto, "previous": bytes(last.digest) if last else b""})
        made = cursor.fetchone()
        return made[0] if made else 0


def _last() -> AuditSeal | None:
    """The newest seal without its pieces, which may be many megabytes."""
    return AuditSeal.objects.defer("pieces").order_by("-id").first()


def faults(*, heads: tuple[str, ...] = (), using: str = DEFAULT_DB_ALIAS) -> Iterator[Fault]:
    """Every place where the record is not what was sealed, in the open scope of everything. `heads`: digests (hex) that were sent away;
    one that the chain does not hold any more is a fault. Entries that wait for their seal far longer than for the next one are a fault
    too, measured from the first of them to the newest: a copy that is read days later is judged as of its own last day. Two statements a
    seal."""
    previous, end, known = b"", 0, set()
    for one in AuditSeal.objects.using(using).order_by("id").defer("pieces"):
        if bytes(one.previous) != previous or one.from_txid != end:
            yield Fault("link", one.pk)
        previous, end = bytes(one.digest), one.to_txid
        known.add(previous.hex())
        with connections[using].cursor() as cursor:
            cursor.execute(WHOLE, [one.pk])
            if not cursor.fetchone()[0]:
                yield Fault("seal", one.pk)
            cursor.execute(COMPARE, {"seal": one.pk, "from": one.from_txid, "to": one.to_txid})
            yield from (Fault(what, key) for key, what in cursor.fetchall())
    waiting = AuditEntry.objects.using(using).filter(txid__gte=end).aggregate(first=Min("id"), since=Min("at"), last=Max("at"))
    if waiting["first"] is not None and waiting["last"] - waiting["since"] > UNSEALED_AT_MOST:
        yield Fault("late", waiting["first"])
    for place, head in enumerate(heads, 1):
        if head not in known:
            yield Fault("head", place)


def send_head(on: date) -> str:
    """The head of the chain goes to a file of heads and, where `ALARM_TO` names somebody, off the machine; the line that was sent,
    nothing while nothing is sealed."""
    last = _last()
    if last is None:
        return ""
    line = f"{on} {bytes(last.digest).hex()} {last.pk} {now():%Y-%m-%dT%H:%M:%S%z}"
    kept = Path(settings.VAR_DIR) / "audit-heads.txt"
    kept.parent.mkdir(parents=True, exist_ok=True)
    with kept.open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")
    logger.warning("head of the audit chain: %s", line)
    words = _("请把这一行保存在本系统以外的地方，核对时用 manage.py verify_audit --head 检验：")
    tell_watchers(_("办理记录校验值（{day}）").format(day=on), f"{words}\n{line}")
    return line
