import { startWireServer, type Reply } from './wire-server.ts';

type Input = { id: string; idProperty?: string; objectWriteTraceId?: string; properties: Record<string, string> };
type StoredContact = { id: string; properties: Record<string, string>; writes: number };

/**
 * What goes wrong with the next request.
 *
 * - `limit`: 429, and requests before the end of Retry-After are refused and counted.
 * - `lost`: the contacts are stored, and the answer is a 502.
 * - `whole`: one contact that is refused refuses the whole batch, as some errors do.
 */
export type HubSpotFault = 'limit' | 'lost' | 'whole';

/** HubSpot takes no address of this domain. */
export const refusedDomain = '@refused.example';
export const hubSpotToken = 'pat-test-0000';
const path = '/crm/v3/objects/contacts/batch/upsert';
const mostInputs = 100;

/**
 * The upsert of contacts as HubSpot describes it: at most 100 inputs, no id twice, 207 with errors that name their
 * input, 429 with Retry-After, and one contact for an e-mail address.
 */
export async function startFakeHubSpot({ retryAfterS = 1, namesInputs = true } = {}) {
  const contacts = new Map<string, StoredContact>();
  const faults: HubSpotFault[] = [];
  const requests: number[] = [];
  let refuseUntil = 0;
  let tooEarly = 0;
  let nextId = 101;

  const problem = (status: number, category: string, more: object = {}, headers?: Record<string, string>): Reply => ({
    status,
    headers,
    json: { status: 'error', message: category, correlationId: 'c', category, ...more },
  });

  function upsert({ id, properties, objectWriteTraceId }: Input) {
    const email = id.toLowerCase();
    const known = contacts.get(email);
    const stored = known ?? { id: String(nextId++), properties: {}, writes: 0 };
    Object.assign(stored.properties, properties);
    stored.writes++;
    contacts.set(email, stored);
    const time = new Date().toISOString();
    return {
      id: stored.id,
      new: known === undefined,
      archived: false,
      createdAt: time,
      updatedAt: time,
      objectWriteTraceId,
      properties: { email, hs_object_id: stored.id },
    };
  }

  function reply(inputs: Input[], fault: HubSpotFault | undefined): Reply {
    const ids = new Set(inputs.map(({ id }) => id.toLowerCase()));
    if (
      inputs.length > mostInputs ||
      ids.size < inputs.length ||
      inputs.some(({ idProperty }) => idProperty !== 'email')
    )
      return problem(400, 'VALIDATION_ERROR');
    const refused = inputs.filter(({ id }) => id.endsWith(refusedDomain));
    if (fault === 'whole' && refused.length > 0) return problem(400, 'VALIDATION_ERROR');
    const results = inputs.filter((input) => !refused.includes(input)).map(upsert);
    if (fault === 'lost') return problem(502, 'BAD_GATEWAY');
    const time = new Date().toISOString();
    const batch = { status: 'COMPLETE', startedAt: time, completedAt: time, results };
    if (refused.length === 0) return { status: 200, json: batch };
    const errors = refused.map(({ objectWriteTraceId }) => ({
      status: 'error',
      category: 'VALIDATION_ERROR',
      message: 'Property values were not valid',
      context: namesInputs ? { objectWriteTraceId: [objectWriteTraceId] } : {},
      links: {},
      errors: [],
    }));
    return { status: 207, json: { ...batch, numErrors: errors.length, errors } };
  }

  const server = await startWireServer((request, body) => {
    if (request.headers.authorization !== `Bearer ${hubSpotToken}`) return problem(401, 'INVALID_AUTHENTICATION');
    if (request.method !== 'POST' || request.url !== path) return problem(404, 'OBJECT_NOT_FOUND');
    const { inputs } = JSON.parse(body) as { inputs: Input[] };
    requests.push(inputs.length);
    if (Date.now() < refuseUntil) tooEarly++;
    const fault = faults.shift();
    if (fault === 'limit' || Date.now() < refuseUntil) {
      refuseUntil = Date.now() + retryAfterS * 1_000;
      const headers = { 'retry-after': String(retryAfterS) };
      return problem(429, 'RATE_LIMITS', { policyName: 'TEN_SECONDLY_ROLLING', errorType: 'RATE_LIMIT' }, headers);
    }
    return reply(inputs, fault);
  });
  return {
    url: server.url,
    contacts,
    /** How many inputs each request had. */
    requests,
    /** Requests that came before the time that Retry-After named. */
    tooEarly: () => tooEarly,
    /** The next requests go wrong like this, in this order. */
    fail: (...next: HubSpotFault[]) => void faults.push(...next),
    close: () => server.close(),
  };
}
export type FakeHubSpot = Awaited<ReturnType<typeof startFakeHubSpot>>;
