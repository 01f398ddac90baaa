import { AlfredError } from '../errors.ts';
import type { TenantLimits, TenantState, TenantUse } from '../tenants.ts';

/** Operations that change something and start nothing: they stop work, or take something back. */
const stopping: readonly string[] = [
  'cancelTask',
  'cancelContactIngest',
  'undoContactMerge',
  'stopConversation',
  'pauseSchedule',
  'setTaskReaders',
  'setConversationReaders',
];
/** Requests that read although they are a POST. */
const reading: readonly string[] = ['searchDocuments'];

type Operation = { operationId: string | undefined; method: string };

/** Whether a request may start work, now or later. Deletions and reads do not; what is not known here does. */
export const startsWork = ({ operationId = '', method }: Operation): boolean =>
  !['GET', 'HEAD', 'DELETE'].includes(method) && !stopping.includes(operationId) && !reading.includes(operationId);

/** Requests that add documents. */
export const addsDocuments = ({ operationId = '' }: Operation): boolean =>
  ['uploadDocuments', 'retryIngestion', 'createSource', 'syncSource'].includes(operationId);

/** @returns why a tenant starts no work; undefined when it may */
export function whyNothingStarts({ name, state, reason }: Pick<TenantState, 'name' | 'state' | 'reason'>) {
  if (state === 'active') return undefined;
  if (state === 'unlisted')
    return new AlfredError('tenant_unknown', `The tenant ${name} is not set up here. Ask the operator of this Alfred.`);
  const because = reason ? ` The reason: ${reason.replace(/\.?$/, '.')}` : '';
  return new AlfredError(
    'tenant_suspended',
    `The tenant ${name} is suspended, and nothing starts.${because} What there is can be read. Ask the operator of this Alfred.`,
  );
}

/** @returns the limit that a tenant passes with so many tasks; undefined when there is none */
export function passedTaskLimit(
  name: string,
  limits: TenantLimits,
  { tasksAtOnce, tasksToday }: Pick<TenantUse, 'tasksAtOnce' | 'tasksToday'>,
): AlfredError | undefined {
  if (limits.tasksAtOnce !== undefined && tasksAtOnce > limits.tasksAtOnce)
    return new AlfredError(
      'tenant_limit',
      `The tenant ${name} may have ${limits.tasksAtOnce} tasks at once. Repeat the request when one has ended.`,
    );
  if (limits.tasksPerDay !== undefined && tasksToday > limits.tasksPerDay)
    return new AlfredError(
      'tenant_limit',
      `The tenant ${name} may have ${limits.tasksPerDay} tasks a day. Repeat the request on the next day (UTC).`,
    );
  return undefined;
}

/** @returns why no document is added; undefined when there is room */
export function whyNoRoom(
  name: string,
  limits: TenantLimits,
  { documents, documentMb }: Pick<TenantUse, 'documents' | 'documentMb'>,
): AlfredError | undefined {
  const isFull = (used: number, limit: number | undefined) => limit !== undefined && used >= limit;
  if (isFull(documents, limits.documents))
    return new AlfredError(
      'tenant_full',
      `The tenant ${name} may have ${limits.documents} documents, and has ${documents}. Remove some first.`,
    );
  if (isFull(documentMb, limits.documentMb))
    return new AlfredError(
      'tenant_full',
      `The documents of the tenant ${name} may have ${limits.documentMb} MB, and have ${Math.floor(documentMb)}. Remove some first.`,
    );
  return undefined;
}
