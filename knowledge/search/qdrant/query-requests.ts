import type { Schemas } from '@qdrant/js-client-rest';
import { queryTerms } from '../../../contract/rules/terms.ts';
import type { PassageFilter, PassageQuery } from '../passage-index.ts';
import type { Encoder } from './bm25.ts';
import { acceptsVector, denseVector, lexicalVector, type Collection, type CollectionSettings } from './collection.ts';
import { filterOf, ofTenant } from './filter.ts';
import { numbersOf } from './points.ts';

type Deps = {
  encoder: (collection: string) => Promise<Encoder>;
  model: () => Promise<string>;
  quantization: CollectionSettings['quantization'];
};
type Target = { collection: Collection; tenant: string; filter: PassageFilter };
/** The caller adds the limit. */
type QueryRequest = Omit<Schemas['QueryRequest'], 'limit'>;

/** The requests for both result lists; undefined for a list that is empty anyway. */
export async function queryRequests(
  { encoder, model, quantization }: Deps,
  { collection, tenant, filter }: Target,
  { text, vector }: PassageQuery,
): Promise<{ lexical: QueryRequest | undefined; dense: QueryRequest | undefined }> {
  const common = { filter: filterOf(tenant, filter), with_payload: ['chunk_id'] };
  const terms = queryTerms(text);
  const useWords = terms.length > 0;
  const useVector = acceptsVector(collection, vector) && collection.kind.model === (await model());
  return {
    lexical: useWords
      ? {
          ...common,
          query: (await encoder(collection.name)).query(terms),
          using: lexicalVector,
          // Servers from 1.19 on measure how rare a word is in the tenant's passages; older ones in all passages.
          params: { idf: { corpus: ofTenant(tenant) } },
        }
      : undefined,
    dense: useVector
      ? {
          ...common,
          query: numbersOf(vector),
          using: denseVector,
          ...(quantization === 'none' ? {} : { params: { quantization: { rescore: true, oversampling: 3 } } }),
        }
      : undefined,
  };
}
