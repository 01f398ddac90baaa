import { v7 as newId } from 'uuid';
import type { Relation, Resource } from '../../contract/rules/policy.ts';
import { newApiKeyId } from '../../runtime/api-key-text.ts';
import { putArtifact } from '../support/artifacts/put-artifact.ts';
import { person } from '../support/principals.ts';
import type { ApiHarness } from './api-harness.ts';

/** Stands in everything that is in a thing of `ada`, and may be shown only to those who may read it. */
export const contentMarker = 'content-of-ada';

/** The name of what belongs to a tenant as a whole. */
export const nameOf = (resource: Resource) => (resource === 'settings' ? 'knowledge' : 'default');

const ada = person('ada');
type Asked = Relation | 'foreign';

/** Makes things of `ada`, each as a request of hers would leave it, in a state that every operation answers quickly. */
export function createFixtures(api: ApiHarness) {
  const query = (text: string, values: unknown[] = []) => api.postgres.pool.query(text, values);
  const kept = new Map<string, Promise<string>>();

  const insertCallback = (column: 'task_id' | 'ingestion_id', id: string) =>
    query(
      `insert into callbacks (${column}, tenant, subject, url, secret, push_id)
       values ($1, 'local', 'ada', $2, '{}', 'my-callback')`,
      [id, `https://receiver.example/${contentMarker}`],
    );

  async function task(): Promise<string> {
    const row = await api.tasks.create(
      ada,
      { agent: 'knowledge', input: { text: contentMarker }, metadata: { note: contentMarker } },
      {},
    );
    const ref = { tenant: 'local', subject: 'ada', taskId: row.id, agent: 'knowledge' };
    await api.tasks.close(ref, undefined, { status: 'failed', code: 'internal', message: contentMarker });
    await insertCallback('task_id', row.id);
    // Its id is that of the task: every id in an address of the test is the same one.
    await putArtifact(api.postgres.pool, ref, { id: row.id, name: contentMarker, content: contentMarker });
    return row.id;
  }

  async function conversation(): Promise<string> {
    const row = await api.conversationRows.create(
      ada,
      { agent: 'knowledge', title: contentMarker },
      { onBusy: 'enqueue' },
    );
    await api.conversationRows.change(ada, row.id, { archived: true });
    return row.id;
  }

  const schedule = async (): Promise<string> =>
    (
      await api.schedules.create(
        ada,
        {
          name: contentMarker,
          timing: { everyS: 86_400, timeZone: 'UTC', overlap: 'skip', catchupWindowS: 60, pauseOnFailure: false },
          action: { task: { agent: 'knowledge', input: { text: contentMarker } } },
          paused: true,
          note: contentMarker,
        },
        {},
      )
    ).id;

  async function approval(relation: Asked): Promise<string> {
    const id = newId();
    const approvers =
      relation === 'group' ? { roles: ['boss'] } : { subjects: relation === 'shared' ? ['dee'] : ['fay'] };
    await query(
      `insert into approvals (id, tenant, subject, task_id, agent, step, call_id, tool, arguments, arguments_hash, rule, expires_at,
         status, decided_at, decided_by)
       values ($1, 'local', 'ada', $2, 'knowledge', 1, 'c', 't', $3, 'h', $4, now(), 'approved', now(), 'fay')`,
      [
        id,
        await task(),
        JSON.stringify({ text: contentMarker }),
        JSON.stringify({ approvers, fourEyes: false, expiresS: 60, onExpiry: 'deny' }),
      ],
    );
    return id;
  }

  async function document(relation: Asked): Promise<string> {
    const id = newId();
    const readers =
      { group: ['group:sales'], shared: ['subject:dee'], public: ['everyone'] }[relation as 'group'] ?? [];
    await query(
      `insert into documents (id, tenant, subject, name, title, media_type, content_hash, size_bytes, text, characters, chunk_count, readers)
       values ($1, 'local', 'ada', $2, $3, 'text/plain', 'h', 1, $3, 14, 0, $4)`,
      [id, `${contentMarker}-${id}`, contentMarker, readers],
    );
    return id;
  }

  async function upload(): Promise<string> {
    const id = newId();
    await query(
      `insert into ingestions (id, tenant, subject, status, ended_at) values ($1, 'local', 'ada', 'completed', now())`,
      [id],
    );
    await insertCallback('ingestion_id', id);
    await query(
      `insert into contact_ingests (id, tenant, subject, source, format, name, status, ended_at)
       values ($1, 'local', 'ada', 'api', 'csv', $2, 'completed', now())`,
      [id, contentMarker],
    );
    await query(`insert into contact_rejects (ingest_id, line, reason, fields) values ($1, 2, $2, '{}')`, [
      id,
      contentMarker,
    ]);
    return id;
  }

  const source = async (): Promise<string> =>
    (
      await api.sources.create(ada, {
        kind: 'web',
        address: `https://example.com/${contentMarker}/${newId()}`,
        options: {},
        collection: contentMarker,
      })
    ).id;

  async function key(): Promise<string> {
    const id = newApiKeyId();
    // There is nothing in a key: who may see it sees its name.
    await api.apiKeys.create(ada, { name: 'k', roles: [], scopes: [] }, { id, hash: Buffer.alloc(32) });
    // A creator may have 100 that are active.
    await query(`update api_keys set created_at = now() - interval '1 hour' where id = $1`, [id]);
    return id;
  }

  async function memory(relation: Asked): Promise<string> {
    const id = newId();
    await query(
      `insert into memories (id, tenant, subject, group_name, text, via, request_hash, expires_at)
       values ($1, 'local', 'ada', $2, $3, 'oidc', 'h', now() + interval '1 day')`,
      [id, relation === 'group' ? 'sales' : null, contentMarker],
    );
    return id;
  }

  async function contact(): Promise<string> {
    const id = newId();
    const nothing = { name: null, firstName: null, lastName: null, company: null, title: null, country: null };
    const body = { ...nothing, emails: [`${contentMarker}@example.com`], phones: [], custom: {} };
    await query(`insert into contacts (id, tenant, body, words) values ($1, 'local', $2, '')`, [id, body]);
    await query(
      `insert into contact_merges (id, tenant, contact_id, ingest_id, line, reason, incoming)
       values ($1, 'local', $1, $1, 1, 'email', $2)`,
      [id, body],
    );
    return id;
  }

  const makers: Partial<Record<Resource, (relation: Asked) => Promise<string>>> = {
    task,
    conversation,
    schedule,
    approval,
    document,
    upload,
    source,
    key,
    memory,
    contact,
  };
  const make = (resource: Resource, relation: Asked) => {
    const maker = makers[resource];
    if (!maker) throw new Error(`authorization-fixtures.ts makes no ${resource}: add it`);
    return maker(relation);
  };

  return {
    /** A member of a group, and in both tenants settings of a collection and an agent, which belong to their tenant. */
    async prepare() {
      await query(`insert into group_members (tenant, subject, group_name) values ('local', 'cy', 'sales')`);
      await query(
        `insert into collections (tenant, name, chunk_tokens, overlap_tokens)
         values ('local', 'default', 300, 30), ('other', 'default', 300, 30)`,
      );
      await query(
        `insert into agent_settings (tenant, agent, version, settings, note, created_by)
         select tenant, 'knowledge', 1, '{"budget": {"maxModelCalls": 900}}', 'n', 'ada'
         from unnest(array['local', 'other']) tenant`,
      );
    },

    /** @param options `isFresh`: the request changes it, so that it is made for that request alone */
    idOf(resource: Resource, relation: Asked, { isFresh }: { isFresh: boolean }): Promise<string> {
      if (isFresh) return make(resource, relation);
      const name = `${resource}/${relation}`;
      const id = kept.get(name) ?? make(resource, relation);
      kept.set(name, id);
      return id;
    },

    missingIdOf: (resource: Resource): string => (resource === 'key' ? 'ffffffffffffffff' : newId()),

    /** A task that has not begun. */
    openTask: async () => (await api.tasks.create(ada, { agent: 'knowledge', input: { text: contentMarker } }, {})).id,

    /** What the newest token of a person says. */
    newestToken: (subject: string, roles: string[]) =>
      query(
        `insert into subjects (tenant, subject, kind, roles, issued_at, expires_at)
         values ('local', $1, 'person', $2, now(), now() + interval '1 hour')
         on conflict (tenant, subject) do update set roles = excluded.roles`,
        [subject, roles],
      ),

    /** A model call of a task. */
    spend: (taskId: string) =>
      query(
        `insert into model_calls (task_id, step, attempt, outcome, provider, model, tenant, agent, head, input_tokens,
           cache_read_tokens, cache_write_tokens, output_tokens, cost_usd, duration_ms)
         values ($1, 1, 1, 'completed', 'p', 'm', 'local', 'knowledge', 'n', 1, 1, 1, 1, 1, 1)`,
        [taskId],
      ),
  };
}
export type Fixtures = ReturnType<typeof createFixtures>;
