import { AlfredError } from '../../../contract/errors.ts';
import type { Documents } from '../../../contract/ports/index.ts';
import type { Scope } from '../../../contract/references.ts';

const id = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * The id of a document that is named by its id or by its whole name.
 *
 * @returns undefined when the asker can read none of the name
 * @throws AlfredError `invalid_request` when several have it
 */
export async function findDocumentId(
  documents: Pick<Documents, 'findByName'>,
  scope: Scope,
  idOrName: string,
): Promise<string | undefined> {
  if (id.test(idOrName)) return idOrName;
  const found = await documents.findByName(scope, idOrName);
  if (found.length <= 1) return found[0]?.id;
  const list = found.map((one) => `${one.id} (${one.collection})`).join(', ');
  throw new AlfredError('invalid_request', `Several documents are called "${idOrName}": ${list}. Give the id of one.`);
}
