import type { CrmAnswer, DueContact } from '../../contract/ports/index.ts';

/** What is read of an answer to a batch: of the whole batch (200), or of a part of it (207). */
export type BatchAnswer = {
  results: readonly { id: string; objectWriteTraceId?: string; properties?: Record<string, unknown> }[];
  errors?: readonly { status?: string; category?: string; context?: Record<string, unknown> }[];
};

/** Whether the same request may succeed later. A token can be replaced, too. */
export const isPassing = (status: number, category: string | undefined): boolean =>
  status >= 500 || [401, 403, 408, 423, 429].includes(status) || category === 'RATE_LIMITS';

/**
 * What HubSpot reported of each contact of a batch.
 *
 * @returns `unclear`: contacts of which it reported nothing, in a batch with errors that name no contact. What may pass
 *   is left out of both: it stays due
 */
export function answersIn(
  { results, errors = [] }: BatchAnswer,
  contacts: readonly DueContact[],
): { answers: CrmAnswer[]; unclear: DueContact[] } {
  const byTrace = new Map(results.map((result) => [result.objectWriteTraceId, result.id]));
  const byEmail = new Map(results.map(({ id, properties }) => [lower(properties?.email), id]));
  const named = new Map<string, { status?: string; category?: string }>();
  for (const error of errors) {
    const values = Object.values(error.context ?? {}).flat();
    for (const value of values) if (typeof value === 'string') named.set(value.toLowerCase(), error);
  }
  const answers: CrmAnswer[] = [];
  const unclear: DueContact[] = [];
  for (const contact of contacts) {
    const { id, revision, body } = contact;
    const email = body.emails[0] ?? '';
    const crmId = byTrace.get(id) ?? byEmail.get(email);
    const error = named.get(id) ?? named.get(email) ?? (contacts.length === 1 ? errors[0] : undefined);
    if (crmId !== undefined) answers.push({ id, revision, crmId });
    else if (!error) unclear.push(contact);
    else if (!isPassing(statusOf(error.status), error.category))
      answers.push({ id, revision, error: `HubSpot refused it: ${error.category ?? 'without a reason'}.` });
  }
  return { answers, unclear };
}

const lower = (value: unknown) => (typeof value === 'string' ? value.toLowerCase() : undefined);

/** An error of a batch says `error`, and seldom a status. */
const statusOf = (status: string | undefined) => Number(status) || 400;
