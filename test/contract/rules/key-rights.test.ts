import { expect, test } from '@jest/globals';
import { whyNoKeys, whyNotGiven } from '../../../contract/rules/key-rights.ts';
import { missingScope } from '../../../contract/rules/scopes.ts';
import { localPrincipal, type Principal } from '../../../contract/principal.ts';
import { rolesLeft } from '../../../contract/roles.ts';
import { decideAtDoor, reachOf } from '../../../contract/rules/policy.ts';
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
  const reach = (principal: Principal) => reachOf(principal, 'change', 'key').of;
  expect([person('ada'), person('ada', { roles: ['admin'] }), localPrincipal].map(reach)).toEqual([
    undefined,
    'tenant',
    'tenant',
  ]);
  const key = person('key:1', { roles: ['admin'], via: 'api_key' });
  expect([reach(key), decideAtDoor(key, 'see', 'key').allowed]).toEqual([undefined, false]);
  expect(whyNoKeys(key)).toMatch('does not manage');
});

test('the role agent takes away: it may be given to a key by anybody, and is not lost on the way', () => {
  expect(whyNotGiven(person('ada'), { roles: ['agent'], scopes: [] })).toBeUndefined();
  const limited = person('bot', { roles: ['agent', 'admin'] });
  expect(whyNotGiven(limited, { roles: ['admin'], scopes: [] })).toMatch('limits you');
  expect(rolesLeft(['agent', 'clerk'], ['clerk'])).toEqual(['agent', 'clerk']);
  expect(rolesLeft(['clerk'], ['clerk', 'agent'])).toEqual(['clerk', 'agent']);
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
