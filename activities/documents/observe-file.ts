import type { Metrics } from '../../runtime/metrics.ts';
import type { FileOutcome, ParsedDocument } from '../../contract/ports/index.ts';

type Observed = Pick<Metrics, 'documentsIngested' | 'documentFailures' | 'chunksIngested'>;
type Outcome = { state: string } & Partial<Pick<FileOutcome & { state: 'failed' }, 'code'>>;

/** Counts what became of one file or item, and of what was cut from it. */
export function observeFile(metrics: Observed) {
  let chunks = 0;
  return {
    /** Passes on what the parser made, and notes how much that is. */
    parsed: (document: ParsedDocument): ParsedDocument => {
      chunks = document.chunks.length;
      return document;
    },
    settled({ state, code }: Outcome) {
      metrics.documentsIngested.inc({ state });
      if (code !== undefined) metrics.documentFailures.inc({ code });
      if (state === 'added' || state === 'replaced') metrics.chunksIngested.inc(chunks);
    },
  };
}
