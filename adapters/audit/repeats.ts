import type { AuditRecord } from '../../contract/audit.ts';

type Repeats = { entry: AuditRecord; count: number; endsAt: number };

type Deps = {
  write: (entry: AuditRecord) => void;
  now?: () => number;
  /** How long what is like an entry is counted, and not written. */
  windowMs?: number;
  /** The most kinds of entries in a window. Beyond, addresses and subjects are left out. */
  mostKinds?: number;
};

/** How often a full window is looked through, in milliseconds. */
const flushedAtMost = 1_000;

/**
 * Writes the first of many entries that are like each other, and how many more there were at the end of its window. A
 * flood of refusals becomes a few entries a minute, from however many addresses it comes.
 */
export function createRepeats({ write, now = Date.now, windowMs = 60_000, mostKinds = 200 }: Deps) {
  const kinds = new Map<string, Repeats>();

  let flushedAt = -Infinity;

  function end(kind: string) {
    const repeats = kinds.get(kind);
    kinds.delete(kind);
    if (repeats && repeats.count > 0) write({ ...repeats.entry, count: repeats.count });
  }

  function flush(all = false) {
    flushedAt = now();
    for (const [kind, { endsAt }] of kinds) if (all || endsAt <= flushedAt) end(kind);
  }

  function count(kind: string): boolean {
    const repeats = kinds.get(kind);
    if (!repeats || repeats.endsAt <= now()) return false;
    repeats.count++;
    return true;
  }

  function begin(kind: string, entry: AuditRecord) {
    end(kind);
    write(entry);
    kinds.set(kind, { entry: withoutRequest(entry), count: 0, endsAt: now() + windowMs });
  }

  return {
    /** @param kind what entries have in common that are counted together */
    add(kind: string, entry: AuditRecord): void {
      if (count(kind)) return;
      end(kind);
      // Not with each entry of a flood: it looks at every kind.
      if (kinds.size >= mostKinds && now() - flushedAt >= flushedAtMost) flush();
      if (kinds.size < mostKinds) return begin(kind, entry);
      const { tenant, action, outcome, code } = entry;
      const shared = JSON.stringify(['many', tenant, action, outcome, code]);
      if (count(shared)) return;
      const many = { tenant, subject: '', action, outcome, code };
      if (kinds.size < 2 * mostKinds) return begin(shared, many);
      const rest = { tenant: '', subject: '', action: 'many', outcome } as const;
      if (!count(`rest ${outcome}`)) begin(`rest ${outcome}`, rest);
    },

    /** Writes the counts of windows that are over. @param all also of those that are not */
    flush,
  };
}

/** A count is of many requests; what was refused may have been asked of many things. */
function withoutRequest({ requestId: _, resource, ...entry }: AuditRecord): AuditRecord {
  return entry.outcome === 'ok' && resource ? { ...entry, resource } : entry;
}
