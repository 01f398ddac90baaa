import { z } from 'zod';
import { DocumentList, type Document } from '../../contract/documents.ts';
import { CliError } from '../cli-error.ts';
import type { ApiClient } from './api-client.ts';

export type Where = { collection?: string };

export async function* allDocuments(api: ApiClient, { collection }: Where = {}): AsyncGenerator<Document> {
  let cursor: string | undefined;
  do {
    const query = { limit: 500, cursor, collection };
    const page: DocumentList = await api.call('/v1/documents', { query, answer: DocumentList });
    yield* page.documents;
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
}

/**
 * Finds the id of the document that a person named.
 *
 * @param name a name or an id
 * @throws CliError when there is none, or several: in several collections, or of several owners
 */
export async function idOfDocument(name: string, where: Where, api: ApiClient): Promise<string> {
  if (z.uuid().safeParse(name).success) return name;
  const found: Document[] = [];
  const near: string[] = [];
  for await (const document of allDocuments(api, where)) {
    if (document.name === name) found.push(document);
    else if (document.name.toLowerCase().includes(name.toLowerCase())) near.push(document.name);
  }
  const [only, ...others] = found;
  if (only && others.length === 0) return only.id;
  const twins = found.filter(({ collection }) => collection === only?.collection);
  if (only && twins.length > 1) {
    const list = twins.map(({ id, owner }) => `${id} of ${owner}`).join(', ');
    throw new CliError(
      `Several people have a document "${name}" in the collection ${only.collection}: ${list}. Give the id of one.`,
    );
  }
  if (only)
    throw new CliError(
      `"${name}" stands in the collections ${found.map(({ collection }) => collection).join(', ')}. Say which one: --collection ${only.collection}`,
    );
  const hint = near.length > 0 ? `Did you mean ${near.slice(0, 5).join(', ')}?` : 'See `alfred documents list`.';
  throw new CliError(`There is no document named "${name}". ${hint}`);
}
