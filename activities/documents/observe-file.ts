import type { Metrics } from '../../runtime/metrics.ts';
import type { FileOutcome, ParsedDocument } from '../../contract/ports/index.ts';

type FileMetrics = Pick<Metrics, 'documentsIngested' | 'documentFailures' | 'chunksIngested'>;
type Outcome = { state: string } & Partial<Pick<FileOutcome & { state: 'failed' }, 'code'>>;

/** Counts the outcome of one file or item, and the chunks that it was cut into. */
export function observeFile(metrics: FileMetrics) {
  let chunks = 0;
  return {
    /** Notes the number of chunks, and returns the document. */
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
