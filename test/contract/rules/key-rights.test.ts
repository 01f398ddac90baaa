import { expect, test } from '@jest/globals';
import { managesAllKeys, whyNoKeys, whyNotGiven } from '../../../contract/rules/key-rights.ts';
import { missingScope } from '../../../contract/rules/scopes.ts';
import { localPrincipal } from '../../../contract/principal.ts';
import { person } from '../../support/principals.ts';

test('a person gives a key only roles and scopes of their own; the user of this machine gives any', () => {
  const key = (roles: string[], scopes: string[] = []) => ({ roles, scopes });
  const clerk = person('ada', { roles: ['clerk'] });
  expect(whyNotGiven(clerk, key(['clerk', 'boss']))).toBe('You cannot give a role that you lack: boss.');
  expect(whyNotGiven(clerk, key(['clerk'], ['tasks:write']))).toBeUndefined();
  expect(whyNotGiven(localPrincipal, key(['clerk', 'boss']))).toBeUndefined();
  const limited = person('ada', { scopes: ['identity:write', 'tasks:write'] });
  expect(whyNotGiven(limited, key([]))).toMatch('is limited');
  expect(whyNotGiven(limited, key([], ['tasks:read']))).toBeUndefined();
  expect(whyNotGiven(limited, key([], ['tasks:read', 'usage:read']))).toMatch(/lack: usage:read/);
});

test('admins manage all keys of a tenant, and a key manages none', () => {
  expect([person('ada'), person('ada', { roles: ['admin'] }), localPrincipal].map(managesAllKeys)).toEqual([
    false,
    true,
    true,
  ]);
  expect(whyNoKeys(person('ada'))).toBeUndefined();
  expect(whyNoKeys(person('key:1', { roles: ['admin'], via: 'api_key' }))).toMatch('does not manage');
});

test('scopes limit a credential: `write` allows all of an area, `read` what changes nothing', () => {
  const tasks = (method: string, operationId = 'x') => ({ area: 'tasks', operationId, method });
  expect(missingScope([], tasks('POST'))).toBeUndefined();
  expect(missingScope(['tasks:read'], tasks('GET'))).toBeUndefined();
  expect(missingScope(['tasks:read'], tasks('POST'))).toBe('tasks:write');
  expect(missingScope(['tasks:write'], tasks('GET'))).toBeUndefined();
  expect(missingScope(['tasks:write'], { area: 'documents', operationId: 'listDocuments', method: 'GET' })).toBe(
    'documents:read',
  );
  const search = { area: 'documents', operationId: 'searchDocuments', method: 'POST' };
  expect(missingScope(['documents:read'], search)).toBeUndefined();
  expect(missingScope(['tasks:read'], { area: 'identity', operationId: 'me', method: 'GET' })).toBeUndefined();
});
