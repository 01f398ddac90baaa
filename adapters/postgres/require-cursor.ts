import { validate as isUuid } from 'uuid';
import { AlfredError } from '../../contract/errors.ts';

/** Refuses a cursor that is no id, before Postgres fails on it. @throws AlfredError `invalid_request` */
export function requireCursor(cursor: string | undefined): void {
  if (cursor !== undefined && !isUuid(cursor))
    throw new AlfredError('invalid_request', 'cursor is not one that a page before returned.');
}
