import { Role, type Task as A2aTask } from '@a2a-js/sdk';
import { ClientFactory, JsonRpcTransportFactory, type Client } from '@a2a-js/sdk/client';
import { AlfredError } from '../../contract/errors.ts';
import { agentQueue } from '../../contract/ids.ts';
import { createApiHarness, identifyBySubject } from './api-harness.ts';

type Variables = Parameters<typeof createApiHarness>[0];

/** The API, where a person signs in with its name as the token, and workers of the agents that are asked by A2A. */
export async function createA2aHarness(variables: Variables = {}) {
  const api = await createApiHarness(
    variables,
    {
      identify: (headers, ...rest) => {
        if (headers.authorization === undefined) throw new AlfredError('token_missing');
        const subject = headers.authorization.slice('Bearer '.length);
        return identifyBySubject({ ...headers, 'x-subject': subject }, ...rest);
      },
    },
    { queues: [agentQueue('alfred'), agentQueue('knowledge')] },
  );
  for (const name of ['delegate', 'set_plan', 'ask_person']) api.useBuiltInTool(name);

  return {
    ...api,
    /** A client of the official SDK that signs in as this person. */
    clientOf(subject: string): Promise<Client> {
      const fetchImpl: typeof fetch = (input, init) => {
        const headers = new Headers(init?.headers);
        headers.set('authorization', `Bearer ${subject}`);
        return fetch(input, { ...init, headers });
      };
      return new ClientFactory({ transports: [new JsonRpcTransportFactory({ fetchImpl })] }).createFromUrl(api.url);
    },
    /** Sends a message of JSON-RPC, as a client without the SDK does. */
    post: (message: object, headers: Record<string, string> = {}) =>
      fetch(`${api.url}/a2a`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'a2a-version': '1.0', authorization: 'Bearer ann', ...headers },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...message }),
      }),
  };
}
export type A2aHarness = Awaited<ReturnType<typeof createA2aHarness>>;

let sent = 0;
export const messageOf = (
  text: string,
  more: { contextId?: string; taskId?: string; messageId?: string; agent?: string } = {},
) => ({
  tenant: '',
  message: {
    messageId: more.messageId ?? `m-${++sent}`,
    contextId: more.contextId ?? '',
    taskId: more.taskId ?? '',
    role: Role.ROLE_USER,
    parts: [
      { content: { $case: 'text' as const, value: text }, metadata: undefined, filename: '', mediaType: 'text/plain' },
    ],
    metadata: more.agent === undefined ? undefined : { agent: more.agent },
    extensions: [],
    referenceTaskIds: [],
  },
  configuration: undefined,
  metadata: undefined,
});
export const ask = async (client: Client, ...message: Parameters<typeof messageOf>) =>
  (await client.sendMessage(messageOf(...message))) as A2aTask;
export const textOf = ({ artifacts }: A2aTask) =>
  artifacts
    .flatMap(({ parts }) => parts.map(({ content }) => (content?.$case === 'text' ? content.value : '')))
    .join('');
