import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { formatSSEEvent, Role, TaskState, type AgentCard, type Message, type Part } from '@a2a-js/sdk';
import {
  AgentEvent,
  DefaultRequestHandler,
  InMemoryTaskStore,
  JsonRpcTransportHandler,
  ServerCallContext,
  type AgentExecutor,
  type ExecutionEventBus,
  type RequestContext,
} from '@a2a-js/sdk/server';

/** What an agent of a test does with one message. */
export type Work = {
  text: string;
  contextId: string;
  taskId: string;
  /** The task was there before: this message goes on with it. */
  isFollowUp: boolean;
  say(report: string): void;
  answer(text: string, metadata?: Record<string, unknown>): void;
  ask(question: string): void;
  askSignIn(words: string): void;
  fail(words: string): void;
  cancelled: Promise<void>;
};

/** What goes wrong with a request: `lost` is taken, and its answer does not arrive; `endless` has 100 MB. */
export type Fault =
  'lost' | 'endless' | 'broken_stream' | { status: number; headers?: Record<string, string> } | { body: string };

type Options = {
  streaming?: boolean;
  /** Where the card says that the agent is. */
  cardUrl?: string;
  work?: (work: Work) => void | Promise<void>;
};

const textPart = (value: string): Part => ({
  content: { $case: 'text', value },
  metadata: undefined,
  filename: '',
  mediaType: 'text/plain',
});

/** An agent built with the classes of the official SDK, on loopback. A test changes `work`, `fault` and `token`. */
export async function startSampleAgent(options: Options = {}) {
  const { streaming = true } = options;
  const requests: {
    method: string;
    params: Record<string, Record<string, unknown>>;
    authorization: string | undefined;
  }[] = [];
  const messages: Message[] = [];
  const state = {
    work: options.work ?? ((work: Work) => work.answer(`You said: ${work.text}`)),
    /** Asked before each request. */
    fault: (_method: string): Fault | undefined => undefined,
    /** The token that counts; undefined: none is needed. */
    token: undefined as string | undefined,
  };
  const cancels = new Map<string, () => void>();
  let sent = 0;

  const executor: AgentExecutor = {
    async execute(context, bus) {
      messages.push(context.userMessage);
      const { promise: cancelled, resolve } = Promise.withResolvers<void>();
      cancels.set(context.taskId, resolve);
      publishTask(context, bus);
      await state.work(workOf(context, bus, cancelled));
      bus.finished();
    },
    async cancelTask(taskId, bus) {
      cancels.get(taskId)?.();
      const contextId = contexts.get(taskId) ?? '';
      bus.publish(
        AgentEvent.statusUpdate({
          taskId,
          contextId,
          status: statusOf(TaskState.TASK_STATE_CANCELED),
          metadata: undefined,
        }),
      );
    },
  };
  const contexts = new Map<string, string>();

  function publishTask({ taskId, contextId, task, userMessage }: RequestContext, bus: ExecutionEventBus) {
    contexts.set(taskId, contextId);
    bus.publish(
      AgentEvent.task({
        id: taskId,
        contextId,
        status: statusOf(TaskState.TASK_STATE_WORKING),
        artifacts: task?.artifacts ?? [],
        history: [...(task?.history ?? []), userMessage],
        metadata: task?.metadata,
      }),
    );
  }

  function statusOf(of: TaskState, words?: string) {
    const message = words === undefined ? undefined : saying(words);
    return { state: of, message, timestamp: new Date().toISOString() };
  }
  const saying = (words: string): Message => ({
    messageId: `reply-${++sent}`,
    contextId: '',
    taskId: '',
    role: Role.ROLE_AGENT,
    parts: [textPart(words)],
    metadata: undefined,
    extensions: [],
    referenceTaskIds: [],
  });

  function workOf(
    { userMessage, taskId, contextId, task }: RequestContext,
    bus: ExecutionEventBus,
    cancelled: Promise<void>,
  ) {
    const become = (of: TaskState, words?: string, metadata?: Record<string, unknown>) =>
      bus.publish(AgentEvent.statusUpdate({ taskId, contextId, status: statusOf(of, words), metadata }));
    return {
      text: userMessage.parts.map(({ content }) => (content?.$case === 'text' ? content.value : '')).join(''),
      contextId,
      taskId,
      isFollowUp: task !== undefined,
      cancelled,
      say: (report: string) => become(TaskState.TASK_STATE_WORKING, report),
      answer(text: string, metadata?: Record<string, unknown>) {
        const artifact = {
          artifactId: `a${++sent}`,
          name: 'answer',
          description: '',
          parts: [textPart(text)],
          metadata: undefined,
          extensions: [],
        };
        bus.publish(
          AgentEvent.artifactUpdate({
            taskId,
            contextId,
            artifact,
            append: false,
            lastChunk: true,
            metadata: undefined,
          }),
        );
        if (metadata)
          bus.publish(
            AgentEvent.task({
              id: taskId,
              contextId,
              status: statusOf(TaskState.TASK_STATE_COMPLETED),
              artifacts: [artifact],
              history: [userMessage],
              metadata,
            }),
          );
        else become(TaskState.TASK_STATE_COMPLETED);
      },
      ask: (question: string) => become(TaskState.TASK_STATE_INPUT_REQUIRED, question),
      askSignIn: (words: string) => become(TaskState.TASK_STATE_AUTH_REQUIRED, words),
      fail: (words: string) => become(TaskState.TASK_STATE_FAILED, words),
    };
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });

  async function answer(request: IncomingMessage, response: ServerResponse) {
    const { authorization } = request.headers;
    if (request.url === '/.well-known/agent-card.json') {
      response.writeHead(200, { 'content-type': 'application/json' });
      return void response.end(JSON.stringify(card));
    }
    const read: Buffer[] = [];
    for await (const piece of request) read.push(piece as Buffer);
    const body = JSON.parse(Buffer.concat(read).toString('utf8')) as {
      method: string;
      params: Record<string, Record<string, unknown>>;
    };
    requests.push({ method: body.method, params: body.params, authorization });
    if (state.token !== undefined && authorization !== `Bearer ${state.token}`) {
      response.writeHead(401, { 'content-type': 'application/json', 'www-authenticate': 'Bearer' });
      return void response.end('{}');
    }
    const fault = state.fault(body.method);
    if (typeof fault === 'object') {
      const { status = 200, headers = {} } = 'status' in fault ? fault : {};
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      return void response.end('body' in fault ? fault.body : '{}');
    }
    if (fault === 'endless') return writeMuch(response);
    const result = await transport.handle(body, new ServerCallContext({ requestedVersion: '1.0' }));
    if (fault === 'lost') return void response.destroy();
    if (!(Symbol.asyncIterator in result)) {
      response.writeHead(200, { 'content-type': 'application/json' });
      return void response.end(JSON.stringify(result));
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for await (const event of result) {
      response.write(formatSSEEvent(event));
      if (fault === 'broken_stream') return void response.destroy();
    }
    response.end();
  }

  let written = 0;
  async function writeMuch(response: ServerResponse) {
    response.writeHead(200, { 'content-type': 'application/json' });
    const piece = Buffer.alloc(1_000_000, 'x');
    response.write('{"jsonrpc":"2.0","id":1,"result":"');
    for (let i = 0; i < 100 && !response.destroyed; i++) {
      written += piece.length;
      if (!response.write(piece)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
    }
    response.end('"}');
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const card = cardOf(options.cardUrl ?? url, streaming);
  const transport = new JsonRpcTransportHandler(new DefaultRequestHandler(card, new InMemoryTaskStore(), executor));
  return Object.assign(state, {
    url,
    /** Every request of JSON-RPC, also refused ones. */
    requests,
    /** The messages that the agent has begun to work on. */
    messages,
    /** Bytes of endless answers. */
    written: () => written,
    count: (method: string) => requests.filter((request) => request.method === method).length,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}
export type SampleAgent = Awaited<ReturnType<typeof startSampleAgent>>;

const cardOf = (url: string, streaming: boolean): AgentCard => ({
  name: 'Sample',
  description: 'Answers for tests.',
  version: '1.0.0',
  provider: undefined,
  supportedInterfaces: [{ url, protocolBinding: 'JSONRPC', tenant: '', protocolVersion: '1.0' }],
  capabilities: { streaming, pushNotifications: false, extensions: [] },
  securitySchemes: {},
  securityRequirements: [],
  defaultInputModes: ['text/plain'],
  defaultOutputModes: ['text/plain'],
  skills: [],
  signatures: [],
});
