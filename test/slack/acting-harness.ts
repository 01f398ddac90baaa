import { z } from 'zod';
import { typedTool } from '../../agents/tools/typed-tool.ts';
import type { ApprovalRuleInput } from '../../contract/approval.ts';
import type { JsonValue } from '../../contract/json.ts';
import type { SeenMessage } from '../../deploy/slack/fake/seen.ts';
import type { Config } from '../../runtime/config.ts';
import { until } from '../support/until.ts';
import { createSlackHarness } from './slack-harness.ts';

const rules: ApprovalRuleInput[] = [
  { tool: 'pay', approvers: { roles: ['boss'] } },
  { tool: 'sign', fourEyes: true },
  { tool: 'file' },
];

/** The Slack door with tools whose calls wait for a person, and people with and without rights. */
export async function createActingHarness(agent: object = {}, overrides: { [Name in keyof Config]?: string } = {}) {
  const env = await createSlackHarness(
    { ALFRED_AGENTS: JSON.stringify({ knowledge: { approvals: rules, ...agent } }), ...overrides },
    { rateLimits: false },
  );
  const team = env.slack.workspace.id;
  const ran: { tool: string; input: JsonValue }[] = [];
  const undone: JsonValue[] = [];
  for (const { tool: name } of rules) {
    const tool = typedTool({
      name,
      description: name,
      input: z.strictObject({ amount: z.number() }),
      run: async (input, { beforeSend }) => {
        await beforeSend();
        ran.push({ tool: name, input: input });
        return { output: { did: name }, summary: `${name} was done` };
      },
    });
    env.tool(name, (...call) => tool.run(...call), {
      effect: 'write',
      check: (input) => tool.check?.(input),
      undo: async (input) => {
        undone.push(input);
        return { summary: `${name} was taken back` };
      },
    });
  }

  let count = 0;
  const person = () => env.slack.addUser({ name: `person${++count}` });

  /** Links a person with a subject that signs in elsewhere with these roles. */
  async function link(userId: string, subject: string, roles: string[]) {
    const { pool } = env.postgres;
    await pool.query('insert into slack_links (team, user_id, tenant, subject) values ($1, $2, $3, $4)', [
      team,
      userId,
      'local',
      subject,
    ]);
    await pool.query(
      `insert into subjects (tenant, subject, kind, roles, issued_at, expires_at)
       values ('local', $1, 'person', $2, now(), now() + interval '1 day')`,
      [subject, roles],
    );
  }

  /** A message of Alfred in the thread that shows all of this. */
  const shows = (channel: string, thread: string, ...parts: string[]): Promise<SeenMessage> =>
    until(`the thread shows ${parts.join(', ')}`, () =>
      env.slack
        .view(channel, thread)
        .find(({ fromApp, shown }) => fromApp && parts.every((part) => shown.includes(part))),
    );

  return {
    ...env,
    team,
    ran,
    undone,
    person,
    link,
    shows,
    /** A channel with these people, where the first has asked for one call of the tool. */
    async askFor(
      tool: string,
      people = [person(), person()],
      then: Parameters<typeof env.script>[0] = [{ text: ['Done.'] }],
    ) {
      const [asker = person()] = people;
      env.script([{ calls: [{ tool, arguments: { amount: 500 } }] }, ...(Array.isArray(then) ? then : [])]);
      const { id: channel } = env.slack.addChannel({ name: `channel${++count}`, members: people });
      const { ts: thread } = env.slack.mention(asker.id, channel, 'Do it.');
      const message = await shows(channel, thread, '[Review …]');
      return { channel, thread, message, ref: { channel, ts: message.ts } };
    },
    /** What one person alone reads of Alfred, once there is something. */
    notice: (channel: string, as: { id: string }, after = 0) =>
      until('a line for one person', () => env.noticesIn(channel, as.id).slice(after).at(-1)?.shown),
    events: async (thread: string) => {
      const { rows } = await env.postgres.pool.query(
        `select e.type, e.data from task_events e join slack_posts p using (task_id) where p.thread_ts = $1 order by e.seq`,
        [thread],
      );
      return rows as { type: string; data: Record<string, JsonValue> }[];
    },
    audited: async (action: string) => {
      const { rows } = await env.postgres.pool.query(
        'select subject, via, outcome, code from audit_entries where action = $1 order by seq',
        [action],
      );
      return rows as Record<string, string | null>[];
    },
    /** Resolves when the door knows the state, which it keeps for some seconds. */
    async setTenant(state: 'active' | 'suspended') {
      await env.postgres.pool.query(
        `insert into tenants (name, state, reason) values ('local', $1, 'The invoice of May is open.')
         on conflict (name) do update set state = excluded.state`,
        [state],
      );
      await until(`the tenant is ${state}`, async () => (await env.tenants.find('local')).state === state);
    },
    /** Waits until everything that Slack has sent is processed. */
    async processed() {
      await env.slack.settled();
      await env.inboxIsEmpty();
    },
    statusOf: async (thread: string) => {
      const { rows } = await env.postgres.pool.query(
        'select t.status from tasks t join slack_posts p on p.task_id = t.id where p.thread_ts = $1',
        [thread],
      );
      return rows[0]?.status as string | undefined;
    },
  };
}
export type ActingHarness = Awaited<ReturnType<typeof createActingHarness>>;
