import { expect, test } from '@jest/globals';
import { localPrincipal } from '../../../contract/principal.ts';
import { mayUseAgent, mayUseTool } from '../../../contract/rules/agent-rights.ts';
import { operationRules, ruleOf } from '../../../contract/rules/operations.ts';
import {
  actions,
  decide,
  decideAtDoor,
  documentReachOf,
  nameOfLine,
  policy,
  reachOf,
  relations,
  resources,
  type Action,
  type Resource,
  neededRoles,
} from '../../../contract/rules/policy.ts';
import { person } from '../../support/principals.ts';

/** What a principal with these roles may do with things of others of its tenant. */
const ofTenant = (...roles: string[]) =>
  resources.filter((resource) => resource !== 'contact').flatMap((resource) => allowedOf(roles, resource));
const allowedOf = (roles: string[], resource: Resource) =>
  actions.filter((action) => decide({ roles }, 'tenant', action, resource).allowed).map((one) => `${one} ${resource}`);

test('a member does nothing with things of others; each role adds what it is for, and no role adds reading', () => {
  expect(ofTenant()).toEqual([]);
  expect(ofTenant('clerk')).toEqual([]);
  expect(ofTenant('viewer')).toEqual(['see task', 'see schedule', 'see source', 'see usage']);
  expect(ofTenant('operator')).toEqual([
    'see task',
    'cancel task',
    'grant task',
    'see schedule',
    'delete schedule',
    'pause schedule',
    'see source',
    'delete source',
    'see usage',
    'change channel',
  ]);
  expect(ofTenant('developer')).toEqual(['see agent', 'change agent', 'use agent']);
  expect(ofTenant('admin')).toEqual(expect.arrayContaining([...ofTenant('operator'), 'see key', 'see audit']));
  const reading = policy.filter((line) => line.relation === 'tenant' && line.actions.includes('read'));
  expect(reading.flatMap((line) => line.resources)).toEqual(['contact']);
});

test('contacts are the tenant’s: members read and change them, operators and admins delete them', () => {
  const all = ['see', 'read', 'create', 'change'].map((action) => `${action} contact`);
  expect(allowedOf([], 'contact')).toEqual(all);
  for (const role of ['operator', 'admin']) expect(allowedOf([role], 'contact')).toContain('delete contact');
  expect(allowedOf(['agent'], 'contact')).toEqual([]);
});

test('a member does everything with its own; a service with the role agent creates, reads and cancels its own tasks', () => {
  const own = (roles: string[], resource: Resource) =>
    actions.filter((action) => decide({ roles }, 'own', action, resource).allowed);
  for (const resource of ['task', 'conversation', 'schedule', 'source', 'upload', 'key'] as const)
    expect(own([], resource)).toEqual(actions);
  expect(own(['agent'], 'task')).toEqual(['see', 'read', 'create', 'cancel']);
  for (const resource of ['conversation', 'schedule', 'document', 'key'] as const)
    expect(own(['agent'], resource)).toEqual([]);
  // Another role gives what that role is for, and not what members have.
  expect(own(['agent', 'viewer'], 'schedule')).toEqual(['see']);
  expect(decide({ roles: ['agent', 'viewer'] }, 'tenant', 'see', 'schedule').allowed).toBe(true);
});

test('a refusal says whether the existence of the thing is a secret', () => {
  const ask = (roles: string[], action: Action, resource: Resource) => decide({ roles }, 'tenant', action, resource);
  expect(ask([], 'see', 'task')).toEqual({ allowed: false, code: 'not_found' });
  expect(ask(['agent'], 'see', 'conversation')).toEqual({ allowed: false, code: 'role_missing' });
  expect(decideAtDoor({ roles: ['agent'] }, 'see', 'conversation')).toEqual({ allowed: false, code: 'role_missing' });
  expect(decideAtDoor(person('key:1', { roles: ['admin'], via: 'api_key' }), 'see', 'key').allowed).toBe(false);
});

test('reach is the tenant where a role says so, and the own things else', () => {
  const ada = { tenant: 't', subject: 'ada', roles: ['operator'] };
  expect(reachOf(ada, 'cancel', 'task')).toEqual({ tenant: 't', subject: 'ada', of: 'tenant' });
  expect(reachOf(ada, 'undo', 'task')).toEqual({ tenant: 't', subject: 'ada' });
  expect(reachOf(localPrincipal, 'delete', 'schedule')).toMatchObject({ of: 'tenant' });
});

test('a document is changed and deleted by its owner, and by developers and admins who may read it', () => {
  const may = (roles: string[]) =>
    relations.filter((relation) => decide({ roles }, relation, 'change', 'document').allowed).join();
  expect([[], ['viewer', 'operator'], ['developer'], ['admin']].map(may)).toEqual([
    'own',
    'own',
    'own,shared,group,public',
    'own,shared,group,public',
  ]);
  const reach = (action: Action, ...roles: string[]) => documentReachOf(person('ada', { roles }), action).of;
  expect([reach('change'), reach('delete', 'operator')]).toEqual([undefined, undefined]);
  expect([reach('change', 'developer'), reach('delete', 'developer'), reach('change', 'admin')]).toEqual([
    'readable',
    'readable',
    'readable',
  ]);
  expect([reach('delete', 'admin'), reach('delete', '*')]).toEqual(['tenant', 'tenant']);
});

test('an agent that is kept for roles is there for those, for developers and for the user of the machine', () => {
  expect([undefined, ['tax']].map((keptFor) => mayUseAgent([], keptFor))).toEqual([true, false]);
  expect([['tax', 'x'], ['developer'], ['*'], ['admin']].map((roles) => mayUseAgent(roles, ['tax']))).toEqual([
    true,
    true,
    true,
    false,
  ]);
});

test('a tool that is kept for roles is there for those, and not for developers', () => {
  expect([undefined, ['office']].map((keptFor) => mayUseTool([], keptFor))).toEqual([true, false]);
  expect(
    [['office', 'x'], ['agent', 'office'], ['*'], ['developer'], ['admin']].map((roles) =>
      mayUseTool(roles, ['office']),
    ),
  ).toEqual([true, true, true, false, false]);
});

test('every line has another name, allows something, and is asked by an operation or names what comes', () => {
  expect(new Set(policy.map((line) => `${nameOfLine(line)} ${line.actions.join()}`)).size).toBe(policy.length);
  for (const { actions: may, resources: on, relation } of policy) {
    expect([may.length, on.length]).not.toContain(0);
    expect(relations).toContain(relation);
  }
  // An operation that no one may use would be a mistake in the table.
  for (const { action, resource } of Object.values(operationRules))
    expect([
      action,
      resource,
      policy.some((one) => one.actions.includes(action) && one.resources.includes(resource)),
    ]).toEqual([action, resource, true]);
  for (const name of ['unknown', 'constructor', undefined]) expect(() => ruleOf(name)).toThrow('has no row');
});

test('a refusal names the roles that would be enough', () => {
  expect(neededRoles('see', 'audit')).toBe('the role admin');
  expect(neededRoles('see', 'task', 'tenant')).toBe('the role viewer, operator or admin');
  expect(neededRoles('create', 'conversation')).toBe('a sign-in without the role agent');
});
