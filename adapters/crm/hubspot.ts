import type { ContactBody } from '../../contract/contacts.ts';
import { AlfredError } from '../../contract/errors.ts';
import type { Crm, CrmAnswer, DueContact } from '../../contract/ports/index.ts';
import { isRecord } from '../../contract/json.ts';
import { retryAfterHeaderMs } from '../outbound/retry-after.ts';
import { answersIn, isPassing, type BatchAnswer } from './hubspot-answer.ts';

/** The most inputs of a batch (https://developers.hubspot.com/docs/api-reference/crm-contacts-v3/guide). */
const batchSize = 100;

/** `timeoutMs`: how long a request may take; the client of HubSpot sets no limit. */
type Settings = { tenant: string; token: string; url: string; timeoutMs?: number };

/**
 * Writes contacts to HubSpot with its own client, by e-mail address. Its retries are off: the workflow waits, for as
 * long as HubSpot asks. Errors of the client hold what was sent: only their status and category are passed on.
 */
export function createHubSpot({ tenant, token, url, timeoutMs = 60_000 }: Settings): Crm {
  let batches: ReturnType<typeof openBatches> | undefined;

  /**
   * Sends contacts; a batch that is refused whole is sent in halves, so that one wrong contact fails alone.
   *
   * @param taken gets the answers, which hold also when a later request throws
   */
  async function send(contacts: readonly DueContact[], signal: AbortSignal, taken: CrmAnswer[]): Promise<void> {
    signal.throwIfAborted();
    const inputs = contacts.map(({ id, body }) => ({
      idProperty: 'email',
      id: body.emails[0]!,
      objectWriteTraceId: id,
      properties: propertiesOf(body),
    }));
    let answer: BatchAnswer;
    try {
      batches ??= openBatches({ token, url });
      answer = await limited(
        (await batches).upsert({ inputs }),
        AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      );
    } catch (error) {
      signal.throwIfAborted();
      const category = refusalIn(error);
      if (contacts.length > 1) return sendHalves(contacts, signal, taken);
      taken.push(...contacts.map(({ id, revision }) => ({ id, revision, error: category })));
      return;
    }
    const { answers, unclear } = answersIn(answer, contacts);
    taken.push(...answers);
    if (unclear.length === 0) return;
    if (unclear.length < contacts.length) return send(unclear, signal, taken);
    if (contacts.length > 1) return sendHalves(unclear, signal, taken);
    const error = 'HubSpot did not say what became of it.';
    taken.push(...unclear.map(({ id, revision }) => ({ id, revision, error })));
  }

  async function sendHalves(contacts: readonly DueContact[], signal: AbortSignal, taken: CrmAnswer[]): Promise<void> {
    const half = Math.ceil(contacts.length / 2);
    await send(contacts.slice(0, half), signal, taken);
    await send(contacts.slice(half), signal, taken);
  }

  return {
    tenant,
    batchSize,
    async upsert(contacts, signal) {
      const taken: CrmAnswer[] = [];
      try {
        await send(contacts, signal, taken);
      } catch (error) {
        const holds = taken.length > 0 && error instanceof AlfredError && error.code === 'crm_unavailable';
        if (!holds) throw error;
      }
      return taken;
    },
  };
}

/** Loads the client when it is used first: it is large. */
async function openBatches({ token, url }: Pick<Settings, 'token' | 'url'>) {
  const { Client } = await import('@hubspot/api-client');
  return new Client({ accessToken: token, basePath: url }).crm.contacts.batchApi;
}

async function limited<T>(request: Promise<T>, limit: AbortSignal): Promise<T> {
  const aborted = new Promise<never>((_, reject) =>
    limit.addEventListener('abort', () => reject(limit.reason as Error), { once: true }),
  );
  return Promise.race([request, aborted]);
}

/** Only what is known: an empty value would remove what the CRM has. */
function propertiesOf({ emails, phones, name, firstName, lastName, company, title, country }: ContactBody) {
  const names = name?.split(' ') ?? [];
  const [email, phone] = [emails[0], phones[0]];
  const known = {
    email,
    phone,
    company,
    country,
    jobtitle: title,
    firstname: firstName ?? (lastName === null ? names.slice(0, -1).join(' ') : null),
    lastname: lastName ?? (firstName === null ? names.at(-1) : null),
  };
  return Object.fromEntries(Object.entries(known).filter((entry): entry is [string, string] => Boolean(entry[1])));
}

/**
 * What HubSpot refuses for good.
 *
 * @returns its category, for people
 * @throws AlfredError `crm_unavailable` for what may pass
 */
function refusalIn(error: unknown): string {
  const { code, body, headers } = isRecord(error) ? error : {};
  // Errors of Node and of aborted requests have codes, too: that of a time-out is 23.
  const status = typeof code === 'number' && code >= 400 && code <= 599 ? code : undefined;
  const category = isRecord(body) && typeof body.category === 'string' ? body.category : undefined;
  if (status !== undefined && !isPassing(status, category))
    return `HubSpot refused it: ${category ?? `status ${status}`}.`;
  const retryAfter = isRecord(headers) ? headers['retry-after'] : undefined;
  throw new AlfredError('crm_unavailable', explain(status), {
    retryAfterMs: typeof retryAfter === 'string' ? retryAfterHeaderMs(retryAfter) : undefined,
  });
}

function explain(status: number | undefined): string {
  if (status === undefined) return 'HubSpot does not answer. The contacts are sent again.';
  if (status === 401 || status === 403)
    return 'HubSpot refuses HUBSPOT_ACCESS_TOKEN, or the token may not write contacts (crm.objects.contacts.write).';
  if (status === 429) return 'HubSpot limits our requests. The contacts are sent again.';
  return `HubSpot answered ${status}. The contacts are sent again.`;
}
