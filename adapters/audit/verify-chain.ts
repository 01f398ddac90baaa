import type { AuditKeys } from '../../runtime/audit-key-text.ts';
import type { AuditEntryRow } from '../../runtime/database/audit-tables.ts';
import type { HeadRow } from '../postgres/audit/audit-store.ts';
import { checkpointMac, entryHash, isGenuineHead, isSame, noHash, type Checkpoint } from './chain.ts';

export type Finding = {
  kind: 'changed' | 'added' | 'missing' | 'moved' | 'cut_off' | 'head' | 'checkpoint' | 'unknown_key';
  /** The first number that it is about. */
  from: number;
  /** The last one. */
  to: number;
  message: string;
};

/** Findings that are kept; the others are counted. Entries whose hashes are remembered, to find where one was before. */
const mostFindings = 1_000;
const mostRemembered = 10_000;
/** How many entries that were taken out and whose numbers others have now are counted. */
const mostTried = 100;

type Input = { head: HeadRow; keys: AuditKeys; checkpoints: Checkpoint[] };
export type Verification = {
  entries: number;
  checkpoints: number;
  from: number;
  to: number;
  findings: Finding[];
  more: number;
};

/**
 * Compares the chain with its hashes, its head and its checkpoints, entry by entry.
 *
 * Each entry signs its number, what it says, and the hash before it, which it also has beside it. So an entry proves by
 * itself that it is genuine, and its place is the one behind the entry with that hash.
 */
export function createVerification({ head, keys, checkpoints }: Input) {
  const { byId } = keys;
  const findings: Finding[] = [];
  let more = 0;
  let entries = 0;
  let lastRow = head.base_seq;
  /** The newest genuine entry in its place. */
  let last = { seq: head.base_seq, hash: head.base_hash.length === 0 ? noHash : head.base_hash };
  /** Numbers of the rows since then that are not genuine. */
  let doubtful: number[] = [];
  let lastDoubtful: AuditEntryRow | undefined;
  let triesLeft = mostFindings;
  /** Where hashes stand, and entries that stand before the one that they follow. */
  const places = new Map<string, number>();
  const early = new Map<string, AuditEntryRow>();
  const elsewhere = new Map<number, number>();
  const signed = genuineCheckpoints();

  function find(finding: Finding) {
    if (findings.length < mostFindings) findings.push(finding);
    else more++;
  }

  const isGenuine = (row: AuditEntryRow, seq: number): boolean => {
    const secret = byId.get(row.key_id);
    return secret !== undefined && isSame(entryHash(secret, row.previous, { ...row, seq }), row.hash);
  };

  function genuineCheckpoints(): Map<number, Checkpoint> {
    const kept = new Map<number, Checkpoint>();
    for (const one of checkpoints) {
      const secret = byId.get(one.key_id);
      if (secret === undefined || !isSame(checkpointMac(secret, one), one.mac))
        find({ ...at(one.seq), kind: 'checkpoint', message: `the checkpoint of entry ${one.seq} is not genuine` });
      else if (one.seq > head.base_seq) kept.set(one.seq, one);
    }
    return kept;
  }

  /** The number under which a row was written. @returns undefined when it is not genuine, or that is not known yet */
  function writtenAs(row: AuditEntryRow): number | undefined {
    if (isGenuine(row, row.seq)) return row.seq;
    const before = isSame(row.previous, last.hash) ? last.seq : places.get(row.previous.toString('hex'));
    return before !== undefined && isGenuine(row, before + 1) ? before + 1 : undefined;
  }

  /**
   * Takes the row before this one for genuine, when this one follows it and its number is a little higher than its
   * place: entries were taken out, and later numbers moved up.
   */
  function closeUp(row: AuditEntryRow): void {
    const before = lastDoubtful;
    if (!before || before.seq !== doubtful.at(-1) || !isSame(row.previous, before.hash)) return;
    if (triesLeft-- <= 0) return;
    for (let seq = last.seq + 1; seq <= last.seq + mostTried; seq++) {
      if (!isGenuine(before, seq)) continue;
      doubtful.pop();
      early.delete(before.previous.toString('hex'));
      accept(before, seq);
      return;
    }
  }

  function accept(row: AuditEntryRow, seq: number) {
    settle(seq - 1);
    last = { seq, hash: row.hash };
    remember(row, seq);
  }

  function check(row: AuditEntryRow) {
    entries++;
    lastRow = row.seq;
    let seq = writtenAs(row);
    if (seq === undefined) {
      closeUp(row);
      seq = writtenAs(row);
    }
    if (seq === undefined) {
      if (!byId.has(row.key_id))
        find({
          ...at(row.seq),
          kind: 'unknown_key',
          message: `entry ${row.seq} was signed with the key ${row.key_id}, which is not given`,
        });
      doubtful.push(row.seq);
      lastDoubtful = row;
      if (early.size < mostFindings) early.set(row.previous.toString('hex'), row);
      // So that what is remembered stays bounded when nothing is genuine.
      if (doubtful.length < mostRemembered) return;
      settle(row.seq);
      last = { seq: row.seq, hash: row.hash };
      return;
    }
    if (seq <= last.seq) {
      elsewhere.set(seq, row.seq);
      return find({ ...at(row.seq), kind: 'moved', message: `entry ${seq} stands at ${row.seq}` });
    }
    accept(row, seq);
  }

  /** Says what became of the numbers between the last genuine entry and `to`, and of the rows that stand there. */
  function settle(to: number) {
    const missing: number[] = [];
    const unexplained = new Set(doubtful);
    for (let seq = last.seq + 1; seq <= to; seq++) {
      if (unexplained.delete(seq))
        find({ ...at(seq), kind: 'changed', message: `entry ${seq} does not say what was signed` });
      else missing.push(seq);
      // A long gap is one finding.
      if (missing.length > mostFindings) break;
    }
    // Behind an entry that was put in between, the others have other numbers.
    for (const seq of [...unexplained]) {
      const place = missing.shift();
      if (place === undefined) find({ ...at(seq), kind: 'added', message: `entry ${seq} was never written by Alfred` });
      else find({ ...at(seq), kind: 'changed', message: `entry ${seq} does not say what was signed as ${place}` });
    }
    const first = missing.find((seq) => !elsewhere.has(seq));
    if (first !== undefined)
      find({
        kind: 'missing',
        from: first,
        to,
        message: `${first === to ? `entry ${first} is` : `entries ${first} to ${to} are`} missing`,
      });
    doubtful = [];
  }

  function remember(row: AuditEntryRow, seq: number) {
    const hash = row.hash.toString('hex');
    places.set(hash, seq);
    if (places.size > mostRemembered) places.delete(places.keys().next().value ?? '');
    // An entry that stood before its time.
    const moved = early.get(hash);
    if (moved && isGenuine(moved, seq + 1)) {
      early.delete(hash);
      elsewhere.set(seq + 1, moved.seq);
      const found = findings.find(({ kind, from }) => (kind === 'changed' || kind === 'added') && from === moved.seq);
      if (found) Object.assign(found, { kind: 'moved', message: `entry ${seq + 1} stands at ${moved.seq}` });
    }
    const checkpoint = signed.get(seq);
    signed.delete(seq);
    if (checkpoint && !isSame(checkpoint.hash, row.hash))
      find({
        ...at(seq),
        kind: 'checkpoint',
        message: `entry ${seq} is another one than the checkpoint of ${checkpoint.at.toISOString()} signed`,
      });
  }

  return {
    check,

    finish(): Verification {
      if (doubtful.length > 0) settle(Math.min(head.seq, doubtful.at(-1) ?? 0));
      checkHead();
      for (const { seq, at: time } of signed.values()) {
        if (seq > last.seq)
          find({
            kind: 'cut_off',
            from: last.seq + 1,
            to: seq,
            message: `the log ends with entry ${last.seq}, but the checkpoint of ${time.toISOString()} signed entry ${seq}`,
          });
      }
      findings.sort((a, b) => a.from - b.from);
      return { entries, checkpoints: checkpoints.length, from: head.base_seq + 1, to: lastRow, findings, more };
    },
  };

  function checkHead() {
    if (!isGenuineHead(head, keys))
      find({ ...at(head.seq), kind: 'head', message: 'the end of the log (audit_head) is not genuine' });
    if (head.seq > last.seq)
      find({
        kind: 'cut_off',
        from: last.seq + 1,
        to: head.seq,
        message: `the log ends with entry ${last.seq}, but entry ${head.seq} was written`,
      });
    else if (head.seq < last.seq)
      find({
        ...at(head.seq),
        kind: 'head',
        message: `the end of the log (audit_head) is entry ${head.seq}, but there are entries up to ${last.seq}`,
      });
    else if (entries > 0 && !isSame(head.hash, last.hash))
      find({ ...at(head.seq), kind: 'head', message: 'the end of the log (audit_head) names another last entry' });
  }
}

const at = (seq: number) => ({ from: seq, to: seq });
