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

/** Findings that are kept; the others are counted. */
const mostFindings = 1_000;
/** Entries whose hashes are remembered, to find where one was before. */
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
export class ChainVerification {
  readonly #input: Input;
  readonly #findings: Finding[] = [];
  #more = 0;
  #entries = 0;
  #lastRow: number;
  /** The newest genuine entry in its place. */
  #last: { seq: number; hash: Buffer };
  /** Numbers of the rows since then that are not genuine. */
  #doubtful: number[] = [];
  #lastDoubtful: AuditEntryRow | undefined;
  #triesLeft = mostFindings;
  /** Where hashes stand, and entries that stand before the one that they follow. */
  #places = new Map<string, number>();
  #placesBefore = new Map<string, number>();
  readonly #early = new Map<string, AuditEntryRow>();
  readonly #elsewhere = new Map<number, number>();
  readonly #signed: Map<number, Checkpoint>;

  constructor(input: Input) {
    const { base_seq: seq, base_hash: hash } = input.head;
    this.#input = input;
    this.#lastRow = seq;
    this.#last = { seq, hash: hash.length === 0 ? noHash : hash };
    this.#signed = this.#genuineCheckpoints();
  }

  #find(finding: Finding) {
    if (this.#findings.length < mostFindings) this.#findings.push(finding);
    else this.#more++;
  }

  #isGenuine(row: AuditEntryRow, seq: number): boolean {
    const secret = this.#input.keys.byId.get(row.key_id);
    return secret !== undefined && isSame(entryHash(secret, row.previous, { ...row, seq }), row.hash);
  }

  #genuineCheckpoints(): Map<number, Checkpoint> {
    const kept = new Map<number, Checkpoint>();
    for (const one of this.#input.checkpoints) {
      // Of entries that were removed, and perhaps signed with a key that is gone too.
      if (one.seq < this.#input.head.base_seq) continue;
      const secret = this.#input.keys.byId.get(one.key_id);
      if (secret === undefined || !isSame(checkpointMac(secret, one), one.mac))
        this.#find({
          ...at(one.seq),
          kind: 'checkpoint',
          message: `the checkpoint of entry ${one.seq} is not genuine`,
        });
      else if (one.seq > this.#input.head.base_seq) kept.set(one.seq, one);
    }
    return kept;
  }

  /** The number under which a row was written. @returns undefined when it is not genuine, or that is not known yet */
  #writtenAs(row: AuditEntryRow): number | undefined {
    if (this.#isGenuine(row, row.seq)) return row.seq;
    const previous = row.previous.toString('hex');
    const before = isSame(row.previous, this.#last.hash)
      ? this.#last.seq
      : (this.#places.get(previous) ?? this.#placesBefore.get(previous));
    return before !== undefined && this.#isGenuine(row, before + 1) ? before + 1 : undefined;
  }

  /**
   * Takes the row before this one for genuine, when this one follows it and its number is a little higher than its
   * place: entries were taken out, and later numbers moved up.
   */
  #closeUp(row: AuditEntryRow): void {
    const before = this.#lastDoubtful;
    if (!before || before.seq !== this.#doubtful.at(-1) || !isSame(row.previous, before.hash)) return;
    if (this.#triesLeft-- <= 0) return;
    for (let seq = this.#last.seq + 1; seq <= this.#last.seq + mostTried; seq++) {
      if (!this.#isGenuine(before, seq)) continue;
      this.#doubtful.pop();
      this.#early.delete(before.previous.toString('hex'));
      this.#accept(before, seq);
      return;
    }
  }

  /**
   * The entry behind the last one must follow that one. Of one number there may be two genuine entries: one that a
   * process signed and sent, while another process stored its own.
   */
  #compare({ previous }: AuditEntryRow, seq: number) {
    const { seq: before, hash } = this.#last;
    if (seq !== before + 1 || isSame(previous, hash)) return;
    if (before === this.#input.head.base_seq)
      this.#find({ ...at(before), kind: 'head', message: `entry ${seq} does not follow the beginning of the log` });
    else
      this.#find({
        ...at(before),
        kind: 'changed',
        message: `entry ${before} is another one than entry ${seq} was signed behind`,
      });
  }

  #accept(row: AuditEntryRow, seq: number) {
    this.#compare(row, seq);
    this.#settle(seq - 1);
    this.#last = { seq, hash: row.hash };
    this.#remember(row, seq);
  }

  check(row: AuditEntryRow) {
    this.#entries++;
    this.#lastRow = row.seq;
    let seq = this.#writtenAs(row);
    if (seq === undefined) {
      this.#closeUp(row);
      seq = this.#writtenAs(row);
    }
    if (seq === undefined) {
      if (!this.#input.keys.byId.has(row.key_id))
        this.#find({
          ...at(row.seq),
          kind: 'unknown_key',
          message: `entry ${row.seq} was signed with the key ${row.key_id}, which is not given`,
        });
      this.#doubtful.push(row.seq);
      this.#lastDoubtful = row;
      if (this.#early.size < mostFindings) this.#early.set(row.previous.toString('hex'), row);
      // So that what is remembered stays bounded when nothing is genuine.
      if (this.#doubtful.length < mostRemembered) return;
      this.#settle(row.seq);
      this.#last = { seq: row.seq, hash: row.hash };
      return;
    }
    if (seq <= this.#last.seq) {
      this.#elsewhere.set(seq, row.seq);
      return this.#find({ ...at(row.seq), kind: 'moved', message: `entry ${seq} stands at ${row.seq}` });
    }
    this.#accept(row, seq);
  }

  /** Says what became of the numbers between the last genuine entry and `to`, and of the rows that stand there. */
  #settle(to: number) {
    const missing: number[] = [];
    const unexplained = new Set(this.#doubtful);
    for (let seq = this.#last.seq + 1; seq <= to; seq++) {
      if (unexplained.delete(seq))
        this.#find({ ...at(seq), kind: 'changed', message: `entry ${seq} does not say what was signed` });
      else missing.push(seq);
      // A long gap is one finding.
      if (missing.length > mostFindings) break;
    }
    // Behind an entry that was put in between, the others have other numbers.
    for (const seq of [...unexplained]) {
      const place = missing.shift();
      if (place === undefined)
        this.#find({ ...at(seq), kind: 'added', message: `entry ${seq} was never written by Alfred` });
      else
        this.#find({ ...at(seq), kind: 'changed', message: `entry ${seq} does not say what was signed as ${place}` });
    }
    const first = missing.find((seq) => !this.#elsewhere.has(seq));
    if (first !== undefined)
      this.#find({
        kind: 'missing',
        from: first,
        to,
        message: `${first === to ? `entry ${first} is` : `entries ${first} to ${to} are`} missing`,
      });
    this.#doubtful = [];
  }

  #remember(row: AuditEntryRow, seq: number) {
    const hash = row.hash.toString('hex');
    if (this.#places.size >= mostRemembered) {
      this.#placesBefore = this.#places;
      this.#places = new Map();
    }
    this.#places.set(hash, seq);
    // An entry that stood before its time.
    const moved = this.#early.get(hash);
    if (moved && this.#isGenuine(moved, seq + 1)) {
      this.#early.delete(hash);
      this.#elsewhere.set(seq + 1, moved.seq);
      const found = this.#findings.find(
        ({ kind, from }) => (kind === 'changed' || kind === 'added') && from === moved.seq,
      );
      if (found) Object.assign(found, { kind: 'moved', message: `entry ${seq + 1} stands at ${moved.seq}` });
    }
    const checkpoint = this.#signed.get(seq);
    this.#signed.delete(seq);
    if (checkpoint && !isSame(checkpoint.hash, row.hash))
      this.#find({
        ...at(seq),
        kind: 'checkpoint',
        message: `entry ${seq} is another one than the checkpoint of ${checkpoint.at.toISOString()} signed`,
      });
  }

  finish(): Verification {
    if (this.#doubtful.length > 0) this.#settle(Math.min(this.#input.head.seq, this.#doubtful.at(-1) ?? 0));
    this.#checkHead();
    for (const { seq, at: time } of this.#signed.values()) {
      if (seq > this.#last.seq)
        this.#find({
          kind: 'cut_off',
          from: this.#last.seq + 1,
          to: seq,
          message: `the log ends with entry ${this.#last.seq}, but the checkpoint of ${time.toISOString()} signed entry ${seq}`,
        });
    }
    this.#findings.sort((a, b) => a.from - b.from);
    return {
      entries: this.#entries,
      checkpoints: this.#input.checkpoints.length,
      from: this.#input.head.base_seq + 1,
      to: this.#lastRow,
      findings: this.#findings,
      more: this.#more,
    };
  }

  #checkHead() {
    const { head } = this.#input;
    if (!isGenuineHead(head, this.#input.keys))
      this.#find({ ...at(head.seq), kind: 'head', message: 'the end of the log (audit_head) is not genuine' });
    if (head.seq > this.#last.seq)
      this.#find({
        kind: 'cut_off',
        from: this.#last.seq + 1,
        to: head.seq,
        message: `the log ends with entry ${this.#last.seq}, but entry ${head.seq} was written`,
      });
    else if (head.seq < this.#last.seq)
      this.#find({
        ...at(head.seq),
        kind: 'head',
        message: `the end of the log (audit_head) is entry ${head.seq}, but there are entries up to ${this.#last.seq}`,
      });
    else if (this.#entries > 0 && !isSame(head.hash, this.#last.hash))
      this.#find({
        ...at(head.seq),
        kind: 'head',
        message: 'the end of the log (audit_head) names another last entry',
      });
  }
}

const at = (seq: number) => ({ from: seq, to: seq });
