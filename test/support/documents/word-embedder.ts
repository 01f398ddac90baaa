import { createHash } from 'node:crypto';
import { createVectors } from '../../../knowledge/store/vectors.ts';
import { sentencesOf } from '../../../contract/rules/quote.ts';
import type { Embedder, UnembeddedText } from '../../../contract/ports/index.ts';
import type { Database } from '../../../runtime/database/postgres.ts';

/** The length of a vector. */
const dimensions = 64;

/**
 * An embedder without a model. Each word has a fixed direction and a text is the sum of its words, so texts that share
 * words are similar.
 */
export function createWordEmbedder(model = 'words@1') {
  let embedded = 0;
  const vectorOf = (text: string) => {
    const sum = new Float32Array(dimensions);
    for (const word of text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [])
      for (const [i, byte] of createHash('sha512').update(`${model} ${word}`).digest().entries())
        sum[i] = (sum[i] ?? 0) + byte - 127.5;
    const length = Math.hypot(...sum) || 1;
    return sum.map((x) => x / length);
  };
  const embedder: Embedder = {
    model,
    evidence: undefined,
    embedPassages: async (texts) => {
      embedded += texts.length;
      return texts.map(({ headings, text }) => ({
        vector: vectorOf(`${headings} ${text}`),
        sentences: sentencesOf(text).map(({ start, end }) => vectorOf(`${headings} ${text.slice(start, end)}`)),
      }));
    },
    embedQuery: async (text) => vectorOf(text),
    close: async () => {},
  };
  return {
    ...embedder,
    /** The number of texts embedded so far, without queries. */
    embedded: () => embedded,
    missing: (db: Database) => createVectors(db).listMissing(model, 1_000),
    store: async (db: Database, texts: UnembeddedText[]) => {
      const embeddings = await embedder.embedPassages(texts, new AbortController().signal);
      const vectors = createVectors(db);
      await vectors.store(
        model,
        texts.flatMap((text, i) => (embeddings[i] ? [{ ...text, ...embeddings[i] }] : [])),
      );
      await vectors.publish(model, texts);
    },
  };
}
