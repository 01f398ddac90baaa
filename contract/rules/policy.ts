import type { Principal } from '../principal.ts';
import type { DocumentReach, Reach, Scope } from '../references.ts';
import { agentRole, everyRole } from '../roles.ts';

/**
 * How a principal stands to a thing.
 *
 * - `own`: it asked for the thing, or made it.
 * - `shared`: the thing names the principal: as a reader, or as one who decides.
 * - `group`: the thing names a group or a role of the principal.
 * - `tenant`: the thing belongs to another subject of the same tenant.
 * - `public`: the thing is there for everybody of the tenant.
 *
 * Nothing of another tenant has a relation, so no line allows it.
 */
export const relations = ['own', 'shared', 'group', 'tenant', 'public'] as const;
export type Relation = (typeof relations)[number];

/**
 * What may be done. `see` shows that a thing exists, whose it is, how it stands and what it cost; `read` shows what is
 * in it. `pause` includes resuming, `grant` is for budgets, and `share` is about who else may read.
 */
export const actions = [
  'see',
  'read',
  'create',
  'change',
  'delete',
  'share',
  'use',
  'run',
  'cancel',
  'undo',
  'pause',
  'grant',
  'decide',
] as const;
export type Action = (typeof actions)[number];

export const resources = [
  'task',
  'conversation',
  'schedule',
  'approval',
  'document',
  'upload',
  'source',
  'collection',
  'agent',
  'tool',
  'usage',
  'key',
  'identity',
  'evaluation',
  'settings',
  'memory',
  'channel',
  'contact',
  'audit',
] as const;
export type Resource = (typeof resources)[number];

/** Every principal is a member, except one with the role `agent`. The others come from the identity provider. */
export const policyRoles = ['member', 'viewer', 'operator', 'developer', 'admin', agentRole] as const;
export type PolicyRole = (typeof policyRoles)[number];

/** One line of the policy. `except`: a credential that the line does not count for. */
export type PolicyLine = {
  role: PolicyRole;
  relation: Relation;
  actions: readonly Action[];
  resources: readonly Resource[];
  except?: Principal['via'];
};

const line = (role: PolicyRole, relation: Relation, may: readonly Action[], on: readonly Resource[]): PolicyLine => ({
  role,
  relation,
  actions: may,
  resources: on,
});

/** A line that does not count for an API key: one that leaked could make others that outlive it. */
const withoutKeys = (one: PolicyLine): PolicyLine => ({ ...one, except: 'api_key' });

/** Who may do what. What no line allows is refused. */
export const policy: readonly PolicyLine[] = [
  line('member', 'own', actions, [
    'task',
    'conversation',
    'schedule',
    'approval',
    'document',
    'upload',
    'source',
    'memory',
  ]),
  withoutKeys(line('member', 'own', actions, ['key'])),
  line('member', 'own', ['see'], ['usage', 'identity']),
  line('member', 'shared', ['see', 'read'], ['task', 'conversation']),
  line('member', 'shared', ['see', 'read', 'decide'], ['approval']),
  line('member', 'group', ['see', 'read', 'decide'], ['approval']),
  line('member', 'group', ['see', 'read'], ['task', 'conversation']),
  line('member', 'group', ['see', 'read'], ['memory']),
  line('member', 'shared', ['see', 'read'], ['document']),
  line('member', 'group', ['see', 'read'], ['document']),
  line('member', 'public', ['see', 'read'], ['document']),
  line('member', 'public', ['see', 'change'], ['collection']),
  line('member', 'public', ['see', 'use'], ['agent', 'tool']),
  line('member', 'group', ['see', 'use'], ['agent', 'tool']),

  // Contacts are for the work of the whole tenant; undoing a merge loses nothing, deleting does.
  line('member', 'tenant', ['see', 'read', 'create', 'change'], ['contact']),

  line('viewer', 'tenant', ['see'], ['task', 'schedule', 'source', 'usage']),

  line('operator', 'tenant', ['see', 'cancel', 'grant'], ['task']),
  line('operator', 'tenant', ['see', 'pause', 'delete'], ['schedule']),
  line('operator', 'tenant', ['see', 'delete'], ['source']),
  line('operator', 'tenant', ['see'], ['usage']),
  line('operator', 'tenant', ['change'], ['channel']),
  line('operator', 'tenant', ['delete'], ['contact']),

  line('developer', 'tenant', ['see', 'change', 'use'], ['agent']),
  line('developer', 'public', ['see', 'change', 'run'], ['collection', 'evaluation']),
  line('developer', 'shared', ['change', 'delete'], ['document']),
  line('developer', 'group', ['change', 'delete'], ['document']),
  line('developer', 'public', ['change', 'delete'], ['document']),

  line('admin', 'tenant', ['see', 'cancel', 'grant'], ['task']),
  line('admin', 'tenant', ['see', 'pause', 'delete'], ['schedule']),
  line('admin', 'tenant', ['see', 'delete'], ['source']),
  line('admin', 'shared', ['change', 'delete'], ['document']),
  line('admin', 'group', ['change', 'delete'], ['document']),
  line('admin', 'public', ['change', 'delete'], ['document']),
  // For what a person left behind: only its id is needed, which shows nothing of it.
  line('admin', 'tenant', ['delete'], ['document']),
  withoutKeys(line('admin', 'tenant', ['see', 'change', 'delete'], ['key'])),
  line('admin', 'tenant', ['see', 'change'], ['settings']),
  line('admin', 'tenant', ['change'], ['channel']),
  line('admin', 'tenant', ['delete'], ['contact']),
  line('admin', 'tenant', ['see'], ['usage', 'audit']),

  line(agentRole, 'own', ['see', 'read', 'create', 'cancel'], ['task']),
  line(agentRole, 'own', ['see'], ['usage', 'identity']),
  line(agentRole, 'public', ['see', 'use'], ['agent', 'tool']),
  line(agentRole, 'group', ['see', 'use'], ['agent', 'tool']),
];

/** What the policy asks of a principal. */
type Asker = Pick<Principal, 'roles'> & Partial<Pick<Principal, 'via'>>;

/**
 * What the policy says.
 *
 * @property line   the one that decided: the first that allows it
 * @property code   for a refusal. `role_missing` (403): no relation would allow it, so the answer tells nothing about
 *   the thing. `not_found` (404): it is allowed in another relation, so whether the thing exists is a secret.
 */
export type Decision = { allowed: true; line: PolicyLine } | { allowed: false; code: 'role_missing' | 'not_found' };

/** Decides whether a principal that stands in this relation to a thing may do something with it. */
export function decide(asker: Asker, relation: Relation, action: Action, resource: Resource): Decision {
  const lines = linesFor(asker, action, resource);
  // What a role allows with the things of the whole tenant, it allows with one's own.
  const found =
    lines.find((one) => one.relation === relation) ??
    (relation === 'own' ? lines.find((one) => one.relation === 'tenant') : undefined);
  if (found) return { allowed: true, line: found };
  return { allowed: false, code: lines.length === 0 ? 'role_missing' : 'not_found' };
}

/** Decides whether a principal may ask for something at all: the door does not know yet how it stands to the thing. */
export function decideAtDoor(asker: Asker, action: Action, resource: Resource): Decision {
  const [first] = linesFor(asker, action, resource);
  return first ? { allowed: true, line: first } : { allowed: false, code: 'role_missing' };
}

/** How far a principal reaches with an action: its own things, or those of its whole tenant. */
export function reachOf(principal: Scope & Asker, action: Action, resource: Resource): Reach {
  const { tenant, subject } = principal;
  return { tenant, subject, ...(decide(principal, 'tenant', action, resource).allowed ? { of: 'tenant' } : {}) };
}

/** How far a principal reaches with an action on documents: its own, those that it may read, or those of its tenant. */
export function documentReachOf(principal: Scope & Asker, action: Action): DocumentReach {
  const { tenant, subject } = principal;
  const isAllowed = (relation: Relation) => decide(principal, relation, action, 'document').allowed;
  if (isAllowed('tenant')) return { tenant, subject, of: 'tenant' };
  return { tenant, subject, ...(readerRelations.every(isAllowed) ? { of: 'readable' } : {}) };
}

/** How the readers of a document stand to it. */
const readerRelations = ['shared', 'group', 'public'] as const;

/** The lines that allow an action, in the order of the table. */
const linesFor = ({ roles, via }: Asker, action: Action, resource: Resource): PolicyLine[] =>
  policy.filter(
    (one) =>
      hasRole(roles, one.role) &&
      one.actions.includes(action) &&
      one.resources.includes(resource) &&
      (one.except === undefined || one.except !== via),
  );

/**
 * What a refused sender needs, for people: `the role viewer, operator or admin`.
 *
 * @param relation only what allows it in this relation
 */
export function neededRoles(action: Action, resource: Resource, relation?: Relation): string {
  const lines = policy.filter((one) => one.actions.includes(action) && one.resources.includes(resource));
  const roles = new Set(
    lines.filter((one) => relation === undefined || one.relation === relation).map(({ role }) => role),
  );
  // Everybody is a member who does not have the role of services.
  if (roles.has('member')) return `a sign-in without the role ${agentRole}`;
  const names = [...roles];
  return `the role ${names.length > 1 ? `${names.slice(0, -1).join(', ')} or ${names.at(-1)}` : names.join('')}`;
}

export function hasRole(roles: readonly string[], role: PolicyRole): boolean {
  if (roles.includes(everyRole)) return true;
  return role === 'member' ? !roles.includes(agentRole) : roles.includes(role);
}

/** The name of a line, for people: `operator / tenant / task`. */
export const nameOfLine = ({ role, relation, resources: on }: PolicyLine): string =>
  `${role} / ${relation} / ${on.join(', ')}`;

/** A decision in plain words. */
export function explainDecision(decision: Decision, asked: { relation: Relation; action: Action; resource: Resource }) {
  const { relation, action, resource } = asked;
  const what = `${action} a thing of the kind ${resource} with the relation "${relation}"`;
  if (decision.allowed) return `May ${what}: the line "${nameOfLine(decision.line)}" allows it.`;
  return decision.code === 'not_found'
    ? `May not ${what}: no line allows it. The answer is 404, as for a thing that does not exist.`
    : `May not ${what}, nor with any other relation: no line allows it. The answer is 403.`;
}
