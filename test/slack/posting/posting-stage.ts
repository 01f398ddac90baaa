import { randomUUID } from 'node:crypto';
import { createFakeSlack } from '../../../deploy/slack/fake/fake-slack.ts';
import type { MessageState } from '../../../contract/conversation.ts';
import type { SlackChannelSettings, SlackPosts, TaskEvents } from '../../../contract/ports/index.ts';
import { createApiCalls, type SlackAnswer } from '../../../slack/api-calls/api-calls.ts';
import { createWebClient } from '../../../slack/api-calls/web-client.ts';
import { createChannelInfos } from '../../../slack/channel-info.ts';
import { createCheckChannel } from '../../../slack/posting/check-channel.ts';
import { createPoster } from '../../../slack/posting/poster.ts';
import { renderFinal } from '../../../slack/rendering/render.ts';
import { applyEvent, emptyView } from '../../../slack/rendering/task-view.ts';
import { createUploadBytes } from '../../../slack/posting/upload-bytes.ts';
import { createMemoryArtifacts, createMemoryEvents, createMemoryPosts, type NewEvent } from './memory-ports.ts';
import { createTestClock } from './test-clock.ts';

/** What a process does to the world: a call of Slack, or a change of a row. A test may end the process there. */
export type Tap = <T>(name: string, act: () => Promise<T>) => Promise<T>;

/** `at`: milliseconds after the question. */
export type Script = [at: number, event: NewEvent][];

type LogLine = { level: string; message: string } & Record<string, unknown>;

/** A fake Slack with a person, a channel and rows, and posters on one fast clock. */
export async function createStage({ rateLimits = true, direct = false } = {}) {
  const clock = createTestClock();
  const fake = createFakeSlack({ clock, rateLimits });
  await fake.start();
  const person = fake.addUser({ name: 'mia' });
  const channel = direct ? fake.directMessage(person) : fake.addChannel({ name: 'general', members: [person] });
  const { posts, rows } = createMemoryPosts(clock);
  const { events, append, erase: eraseEvents, read } = createMemoryEvents(clock);
  const { artifacts, addFile, removeFiles } = createMemoryArtifacts();
  const erase = (taskId: string) => {
    removeFiles(taskId);
    eraseEvents(taskId);
  };
  /** What became of messages whose tasks have no events. */
  const states = new Map<string, MessageState>();
  /** Tasks that are being undone. */
  const undoing = new Set<string>();
  /** How Alfred is set up in each channel. */
  const settings: SlackChannelSettings = { isOn: true, agent: null, userIds: null, instructions: null };
  /** The Slack users that subjects are linked with. */
  const linked = new Map<string, string[]>();
  const logs: LogLine[] = [];
  const counted: string[] = [];
  const stops: (() => Promise<void>)[] = [];

  const line = (level: string) => (fields: object, message: string) => void logs.push({ level, message, ...fields });
  const log = { info: line('info'), warn: line('warn'), error: line('error') } as never;
  const linksOf = ({ agent, taskId }: { agent: string; taskId: string }) => ({ agent, taskId });

  /** A request takes some of the clock's time, so that others come between. */
  const fetchBusy = (url: string | URL, init?: object) =>
    clock.busy(async () => {
      const response = await fetch(url, init);
      const body = await response.arrayBuffer();
      const { status, statusText, headers } = response;
      return Object.defineProperty(new Response(body, { status, statusText, headers }), 'url', { value: response.url });
    });

  const sleep = (ms: number) => new Promise<void>((resolve) => void clock.after(ms, resolve));

  const slowly = (ms: number): Pick<TaskEvents, 'follow'> => ({
    async *follow(...args) {
      if (ms > 0) await sleep(ms);
      yield* events.follow(...args);
    },
  });

  /** A bot process: its poster and its queue of calls. */
  function addProcess({
    owner = randomUUID(),
    tap = (_name, act) => act(),
    mostPosts = 50,
    pollMs = 500,
    team = fake.workspace.id,
    readMs = 0,
    tenant = 'local',
  }: ProcessOptions = {}) {
    const client = createWebClient({ token: fake.workspace.botToken, apiUrl: fake.apiUrl, fetch: fetchBusy });
    const slack = createApiCalls({
      send: (_team, method, args) => tap(method, () => client.apiCall(method, args) as Promise<SlackAnswer>),
      clock,
      log,
      metrics: { observe: ({ method, outcome }) => counted.push(`${method} ${outcome}`) },
    });
    const uploadBytes = createUploadBytes({
      apiUrl: fake.apiUrl,
      observe: ({ method, outcome }) => counted.push(`${method} ${outcome}`),
      fetch: fetchBusy as typeof fetch,
    });
    const checkChannel = createCheckChannel({
      calls: slack,
      infoOf: createChannelInfos(slack, clock),
      clock,
      channels: { find: async () => settings },
      results: { slackUsersOf: async ({ subject }) => linked.get(subject) ?? [] },
      maxAgeDays: 30,
    });
    const poster = createPoster({
      posts: tapped(posts, tap),
      artifacts,
      uploadBytes: (upload) => tap('upload', () => uploadBytes(upload)),
      events: slowly(readMs),
      slack,
      clock,
      log,
      metrics: {
        rotated: (reason) => counted.push(`rotated ${reason}`),
        ended: (outcome) => counted.push(`ended ${outcome}`),
        file: (outcome) => counted.push(`file ${outcome}`),
        retried: (code) => counted.push(`retried ${code}`),
      },
      owner,
      tenantOf: async () => tenant,
      linksOf,
      stateOf: async ({ taskId }) => states.get(taskId),
      isUndoing: async ({ taskId }) => undoing.has(taskId),
      checkChannel,
      mostPosts,
      pollMs,
    });
    stops.push(() => poster.stop());
    poster.start(team);
    return { poster, slack, owner, checkChannel };
  }

  /** A question, and what comes of it. */
  async function ask(script: Script, { thread }: { thread?: string } = {}) {
    const question = fake.say(person, channel, 'What is the answer?', thread);
    const taskId = randomUUID();
    const threadTs = question.threadTs ?? question.ts;
    const place = { team: fake.workspace.id, channel: channel.id, threadTs };
    const scope = { tenant: 'local', subject: `slack:${place.team}:${person.id}` };
    const asked = { userId: person.id, questionTs: question.ts, agent: 'assistant' };
    await posts.create({ id: randomUUID(), ...place, ...scope, taskId, ...asked });
    for (const [at, event] of script) clock.after(at, () => append(taskId, event));
    const answers = () => fake.view(channel, threadTs).filter(({ fromApp }) => fromApp);
    const row = () => {
      const found = [...rows.values()].find((other) => other.taskId === taskId);
      if (!found) throw new Error('the post has no row');
      return found;
    };
    const finished = async () => {
      while (row().finishedAt === null) await sleep(1_000);
    };
    const result = () =>
      renderFinal(read(taskId).reduce(applyEvent, emptyView), linksOf({ agent: 'assistant', taskId }));
    return { taskId, question, threadTs, answers, row, finished, result };
  }

  return {
    clock,
    fake,
    person,
    channel,
    posts,
    append,
    addFile,
    erase,
    states,
    undoing,
    settings,
    linked,
    logs,
    counted,
    addProcess,
    ask,
    /** Lets time pass on the clock. */
    pass: (ms: number) => clock.run(sleep(ms)),
    async close() {
      // A process that was killed never stops: then there is nothing left to wait for.
      await clock.run(Promise.all(stops.map((stop) => stop()))).catch(() => undefined);
      await fake.stop();
    },
  };
}

export type Stage = Awaited<ReturnType<typeof createStage>>;

type ProcessOptions = {
  owner?: string;
  tap?: Tap;
  mostPosts?: number;
  pollMs?: number;
  /** The workspace of its token. */
  team?: string;
  /** How long it takes to read the events that there are. */
  readMs?: number;
  /** Whose answers the workspace may show. */
  tenant?: string;
};

function tapped(posts: SlackPosts, tap: Tap): SlackPosts {
  return {
    ...posts,
    async claim(owner, leaseMs, team) {
      const post = await tap('poll', () => posts.claim(owner, leaseMs, team));
      return post && tap('claim', async () => post);
    },
    renew: (owner, leaseMs) => tap('renew', () => posts.renew(owner, leaseMs)),
    save: (owner, id, change) => tap('save', () => posts.save(owner, id, change)),
    saveFiles: (owner, id, files) => tap('saveFiles', () => posts.saveFiles(owner, id, files)),
    finish: (owner, id) => tap('finish', () => posts.finish(owner, id)),
    retry: (owner, id, afterMs) => tap('retry', () => posts.retry(owner, id, afterMs)),
  };
}

const never = new Promise<never>(() => undefined);

/**
 * Ends a process at one step of its work, as a kill would: nothing that it does from there on has an effect.
 *
 * @param steps names of the steps that are counted
 * @param at    number of the step, from 0
 * @param when  whether the step itself still takes effect
 */
export function killAt(steps: RegExp, at: number, when: 'before' | 'after') {
  let count = 0;
  let killed: string | undefined;
  const tap: Tap = async (name, act) => {
    if (killed !== undefined) return never;
    const isCounted = steps.test(name);
    if (!isCounted || count++ !== at) {
      const done = await act();
      return killed === undefined ? done : never;
    }
    killed = name;
    if (when === 'after') await act();
    return never;
  };
  return { tap, killed: () => killed };
}

const usage = {
  modelCalls: 1,
  inputTokens: 10,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  outputTokens: 10,
  costUsd: 0.01,
};

/** Events of a task as its workflow appends them. */
export const taskEvents = {
  queued: { type: 'task.queued', data: { agent: 'assistant' } },
  started: { type: 'task.started', data: { model: 'offline:test' } },
  step: (step: number, attempt = 1) => ({ type: 'model.started', data: { step, attempt, model: 'offline:test' } }),
  text: (text: string, step = 1, attempt = 1) => ({ type: 'text.delta', data: { step, attempt, text } }),
  stepDone: (step: number, attempt = 1) => ({
    type: 'model.completed',
    data: { step, attempt, usage, stopReason: 'stop', durationMs: 100, firstTokenMs: 10 },
  }),
  completed: (text: string) => ({ type: 'task.completed', data: { result: { text, citations: [] }, usage } }),
  failed: (message: string) => ({ type: 'task.failed', data: { error: { code: 'model_refused', message }, usage } }),
  cancelled: (reason: string) => ({ type: 'task.cancelled', data: { reason, usage } }),
} satisfies Record<string, NewEvent | ((...args: never[]) => NewEvent)>;

/** An answer that comes in pieces, evenly over a time. */
export function answerScript(text: string, { pieces, overMs }: { pieces: number; overMs: number }): Script {
  const size = Math.ceil(text.length / pieces);
  const script: Script = [
    [0, taskEvents.queued],
    [100, taskEvents.started],
    [200, taskEvents.step(1)],
  ];
  for (let index = 0; index * size < text.length; index++)
    script.push([300 + (overMs / pieces) * index, taskEvents.text(text.slice(index * size, (index + 1) * size))]);
  script.push([400 + overMs, taskEvents.stepDone(1)], [500 + overMs, taskEvents.completed(text)]);
  return script;
}

/** Words that do not repeat, so that a lost or repeated piece is seen. */
export const wordsOf = (count: number) => Array.from({ length: count }, (_, index) => `word${index}`).join(' ');

/** What a person reads of a message, without what stands around the text. */
export const markdownOf = (blocks: readonly Record<string, unknown>[]) =>
  blocks
    .filter(({ type }) => type === 'markdown')
    .map(({ text }) => String(text))
    .join('');

/** Blocks without the ids that Slack gives them. */
export const withoutIds = (blocks: readonly object[]) =>
  blocks.map((block) => {
    const { block_id: _, ...rest } = block as Record<string, unknown>;
    return rest;
  });
