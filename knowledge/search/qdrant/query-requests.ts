import type { Schemas } from '@qdrant/js-client-rest';
import type { Language } from '../../../contract/rules/stems.ts';
import { queryWords, type QueryWord } from '../../../contract/rules/terms.ts';
import { codesAmong, maxCodeHolders, type PassageFilter, type PassageQuery } from '../passage-index.ts';
import type { Encoder } from './bm25.ts';
import { acceptsVector, denseVector, lexicalVector, type Collection, type CollectionSettings } from './collection.ts';
import { filterOf, ofTenant } from './filter.ts';
import { numbersOf } from './points.ts';

type Deps = {
  encoder: (collection: string) => Promise<Encoder>;
  model: () => Promise<string>;
  quantization: CollectionSettings['quantization'];
};
/** @property languages of the tenant's documents */
type Target = { collection: Collection; tenant: string; filter: PassageFilter; languages: Language[] };
/** The caller adds the limit. */
type QueryRequest = Omit<Schemas['QueryRequest'], 'limit'>;

/**
 * The requests for a query.
 *
 * @property lexical and `dense`: for both result lists; undefined for a list that is empty anyway
 * @property codes   for the passages that hold each of the query's codes
 */
export type QueryRequests = {
  lexical: QueryRequest | undefined;
  dense: QueryRequest | undefined;
  codes: { word: QueryWord; request: Schemas['QueryRequest'] }[];
};

export async function queryRequests(
  { encoder, model, quantization }: Deps,
  { collection, tenant, filter, languages }: Target,
  { text, vector }: PassageQuery,
): Promise<QueryRequests> {
  const common = { filter: filterOf(tenant, filter), with_payload: ['chunk_id'] };
  const words = queryWords(text, filter.language === undefined ? languages : [filter.language]);
  const encode = async (terms: string[]): Promise<QueryRequest> => ({
    ...common,
    query: (await encoder(collection.name)).query([...new Set(terms)]),
    using: lexicalVector,
    // Servers from 1.19 on measure how rare a word is in the tenant's passages; older ones in all passages.
    params: { idf: { corpus: ofTenant(tenant) } },
  });
  const useVector = acceptsVector(collection, vector) && collection.kind.model === (await model());
  return {
    lexical: words.length > 0 ? await encode(words.flatMap(({ terms }) => terms)) : undefined,
    dense: useVector
      ? {
          ...common,
          query: numbersOf(vector),
          using: denseVector,
          ...(quantization === 'none' ? {} : { params: { quantization: { rescore: true, oversampling: 3 } } }),
        }
      : undefined,
    codes: await Promise.all(
      codesAmong(words).map(async (word) => ({
        word,
        request: { ...(await encode(word.terms)), limit: maxCodeHolders + 1 },
      })),
    ),
  };
}
