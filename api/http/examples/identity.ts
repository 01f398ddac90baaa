import type { ApiKey, Me } from '../../../contract/api-keys.ts';
import { answers, ids, sends, times, type OperationExamples } from './shared.ts';

const key: ApiKey = {
  id: ids.apiKey,
  name: 'Intranet search',
  subject: `key:${ids.apiKey}`,
  createdBy: 'local',
  roles: [],
  scopes: [],
  state: 'active',
  createdAt: times.asked,
  expiresAt: '2027-11-24T08:00:00.000Z',
  rotatedAt: null,
  oldKeyUntil: null,
  lastUsedAt: null,
  revokedAt: null,
};
const shownOnce = { ...key, key: `alf_${ids.apiKey}_…` };

const me: Me = {
  tenant: 'local',
  subject: 'local',
  kind: 'person',
  roles: ['*'],
  groups: [],
  scopes: [],
  via: 'local',
  expiresAt: null,
};

export const identityExamples: Record<string, OperationExamples> = {
  me: { responses: answers(200, me) },
  createApiKey: { body: sends({ name: 'Intranet search', expiresInDays: 365 }), responses: answers(201, shownOnce) },
  listApiKeys: { responses: answers(200, { keys: [key], nextCursor: null }) },
  getApiKey: { responses: answers(200, key) },
  rotateApiKey: {
    body: sends({ overlapS: 3_600 }),
    responses: answers(200, { ...shownOnce, rotatedAt: times.ended, oldKeyUntil: '2026-11-24T09:00:04.870Z' }),
  },
  revokeApiKey: { responses: answers(200, { ...key, state: 'revoked', revokedAt: times.ended }) },
};
