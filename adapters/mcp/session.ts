import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  CallToolResultSchema,
  PaginatedResultSchema,
  ToolListChangedNotificationSchema,
  type CallToolResult,
} from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { linkAbort } from '../../runtime/link-abort.ts';
import { version } from '../../runtime/version.ts';
import { seenTool, type SeenTool } from './definitions.ts';
import { createPendingCall, pendingCall, StreamBroken } from './pending-call.ts';

/** Time for a session to open, and for each part of its list of tools, in milliseconds. */
export const openMs = 30_000;
/** So many tools of a server, and parts of its list, are read at the most. */
const mostTools = 500;
const mostPages = 20;

export type Session = {
  /** Whether the server has given the session an id, which it may forget. */
  hasId: () => boolean;
  /** The tools of the newest list, by name. */
  tools: ReadonlyMap<string, SeenTool>;
  /** Whether a program has written more than it may, which has ended the session. */
  isTooLarge: () => boolean;
  /** Reads the list of tools again. */
  list: (signal: AbortSignal) => Promise<void>;
  call: (request: CallRequest, options: { signal: AbortSignal; timeoutMs: number }) => Promise<CallToolResult>;
  close: () => void;
};

export type CallRequest = { tool: string; input: Record<string, unknown> };

type Events = {
  /** The server says that its tools have changed. */
  onChange: () => void;
  onClose: () => void;
};

/** Opens a session, and reads the list of tools. */
export async function openSession(
  transport: Transport,
  signal: AbortSignal,
  { onChange, onClose }: Events,
): Promise<Session> {
  const client = new Client({ name: 'alfred', version }, { capabilities: {} });
  let isTooLarge = false;
  try {
    await waitFor((options) => client.connect(transport, options), openMs, signal);
    const session: Session = {
      hasId: () => transport instanceof StreamableHTTPClientTransport && transport.sessionId !== undefined,
      tools: await listTools(client, signal),
      isTooLarge: () => isTooLarge,
      list: async (stop) => {
        session.tools = await listTools(client, stop);
      },
      call: ({ tool, input }, { signal: stop, timeoutMs }) =>
        waitFor(
          (options) =>
            client.request(
              { method: 'tools/call', params: { name: tool, arguments: input } },
              CallToolResultSchema,
              options,
            ),
          timeoutMs,
          stop,
        ),
      close: () => void client.close().catch(() => {}),
    };
    client.onclose = onClose;
    client.onerror = ({ message }) => {
      // The SDK has tried to read on after a broken stream, and leaves the request pending.
      if (message.startsWith('Maximum reconnection attempts')) pendingCall.getStore()?.fail(new StreamBroken());
      // The SDK's own limit for programs. Its error has no class.
      if (message.startsWith('ReadBuffer exceeded')) isTooLarge = true;
    };
    client.setNotificationHandler(ToolListChangedNotificationSchema, onChange);
    return session;
  } catch (error) {
    client.close().catch(() => {});
    throw error;
  }
}

/** The tools are read one by one, so that one that is wrong does not end the list of all. */
const ToolList = PaginatedResultSchema.extend({ tools: z.array(z.unknown()) });

/** All tools of a server, by name. Of two with one name the first counts. */
async function listTools(client: Client, signal: AbortSignal): Promise<Map<string, SeenTool>> {
  const tools = new Map<string, SeenTool>();
  let cursor: string | undefined;
  for (let page = 0; page < mostPages && tools.size < mostTools; page += 1) {
    const params = cursor === undefined ? undefined : { cursor };
    // The SDK’s own `listTools` compiles schemas of answers, and one that is wrong ends the list of all.
    const listed = await waitFor(
      (options) => client.request({ method: 'tools/list', params }, ToolList, options),
      openMs,
      signal,
    );
    for (const tool of listed.tools.slice(0, mostTools - tools.size)) {
      const seen = seenTool(tool);
      if (seen && !tools.has(seen.definition.name)) tools.set(seen.definition.name, seen);
    }
    cursor = listed.nextCursor;
    if (cursor === undefined) break;
  }
  return tools;
}

type RequestOptions = {
  signal: AbortSignal;
  timeout: number;
  maxTotalTimeout: number;
  onresumptiontoken: () => void;
};

/** Makes one request and waits for its answer, also when its stream breaks. */
async function waitFor<T>(
  request: (options: RequestOptions) => Promise<T>,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<T> {
  const call = createPendingCall();
  const link = linkAbort([signal, call.signal]);
  try {
    return await pendingCall.run(call, () =>
      request({
        signal: link.signal,
        timeout: timeoutMs,
        maxTotalTimeout: timeoutMs,
        onresumptiontoken: call.markResumable,
      }),
    );
  } catch (error) {
    throw call.signal.aborted ? call.signal.reason : error;
  } finally {
    link.release();
    call.release();
  }
}
