import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  CallToolResultSchema,
  ToolListChangedNotificationSchema,
  type CallToolResult,
} from '@modelcontextprotocol/sdk/types.js';
import { linkAbort } from '../../runtime/link-abort.ts';
import { placeOf, type McpServerSettings } from '../../runtime/mcp-settings.ts';
import { version } from '../../runtime/version.ts';
import { callError, isLostSession, isUnreachable } from './call-errors.ts';
import { seenTool, type SeenTool } from './definitions.ts';
import { AnswerTooLarge, createPendingCall, pendingCall, StreamBroken } from './pending-call.ts';

/** Time for a session to open and for its list of tools, in milliseconds. */
const openMs = 30_000;
/** So many tools of a server, and parts of its list, are read at the most. */
const mostTools = 500;
const mostPages = 20;

type Session = {
  client: Client;
  hadId: () => boolean;
  tools: ReadonlyMap<string, SeenTool>;
  /** A program has written more than it may, and the session has ended. */
  isTooLarge: boolean;
};
type Request = { tool: string; input: Record<string, unknown> };
type CallOptions = {
  signal: AbortSignal;
  timeoutMs: number;
  mayHaveActed: boolean;
  /** Refuses a tool that no operator has accepted as it is in this session. */
  requireAccepted: (seen: SeenTool | undefined) => Promise<void>;
  beforeSend: () => Promise<void>;
};

type Deps = {
  name: string;
  settings: McpServerSettings;
  /** @throws AlfredError when a variable of the server is not set */
  makeTransport: () => Transport;
  /** The tools of a new list. */
  onTools: (tools: SeenTool[]) => Promise<void>;
  /** The server says that its tools have changed. */
  onChange: () => void;
};

/** The session with one MCP server, which all calls of a process share. It opens with the first use. */
export function createServerConnection({ name, settings, makeTransport, onTools, onChange }: Deps) {
  const place = placeOf(settings);
  let session: Promise<Session> | undefined;
  /** The session that is open, to read without waiting. */
  let current: Session | undefined;
  let isStale = false;
  let closing = new AbortController();

  const drop = (lost: Session) => {
    if (current === lost) {
      current = undefined;
      session = undefined;
    }
    lost.client.close().catch(() => {});
  };

  const toError = (error: unknown, timeoutMs: number, mayHaveActed: boolean) =>
    callError({ server: name, place, error, timeoutMs, maxBytes: settings.maxBytes, mayHaveActed });

  const start = async (): Promise<Session> => {
    const transport = makeTransport();
    const client = new Client({ name: 'alfred', version }, { capabilities: {} });
    const { signal } = closing;
    try {
      await waitFor((options) => client.connect(transport, options), openMs, signal);
      const tools = await listTools(client, signal);
      const opened: Session = {
        client,
        hadId: () => transport instanceof StreamableHTTPClientTransport && transport.sessionId !== undefined,
        tools,
        isTooLarge: false,
      };
      client.onclose = () => drop(opened);
      client.onerror = ({ message }) => {
        // The SDK has tried to read on after a broken stream, and leaves the request pending.
        if (message.startsWith('Maximum reconnection attempts')) pendingCall.getStore()?.fail(new StreamBroken());
        // The SDK's own limit for programs. Its error has no class.
        if (message.startsWith('ReadBuffer exceeded')) opened.isTooLarge = true;
      };
      client.setNotificationHandler(ToolListChangedNotificationSchema, () => {
        isStale = true;
        onChange();
      });
      return opened;
    } catch (error) {
      client.close().catch(() => {});
      throw toError(error, openMs, false);
    }
  };

  const startAndRecord = async (): Promise<Session> => {
    const opened = await start();
    await record(opened.tools).catch((error: unknown) => {
      opened.client.close().catch(() => {});
      throw error;
    });
    current = opened;
    return opened;
  };

  const record = (tools: Session['tools']) => onTools([...tools.values()]);

  const open = async (): Promise<Session> => {
    // Outside the call that happens to open it: streams of the session outlive that call.
    session ??= pendingCall.run(undefined, startAndRecord).catch((error: unknown) => {
      session = undefined;
      throw error;
    });
    const opened = await session;
    if (isStale) await relist(opened);
    return opened;
  };

  async function relist(opened: Session): Promise<void> {
    isStale = false;
    try {
      opened.tools = await listTools(opened.client, closing.signal);
    } catch (error) {
      drop(opened);
      throw toError(error, openMs, false);
    }
    await record(opened.tools);
  }

  const send = async ({ client }: Session, { tool, input }: Request, { signal, timeoutMs }: CallOptions) =>
    waitFor(
      (options) =>
        client.request(
          { method: 'tools/call', params: { name: tool, arguments: input } },
          CallToolResultSchema,
          options,
        ),
      timeoutMs,
      signal,
    );

  return {
    place,
    /** The tools of the open session; undefined while there is none. */
    tools: () => current?.tools,

    /** Opens the session if there is none, and reads the list of tools again if there is one. @throws AlfredError */
    async refresh(): Promise<void> {
      const known = current;
      const opened = await open();
      if (known === opened) await relist(opened);
    },

    /** Calls a tool, in a new session if the server has forgotten the one that was open. @throws AlfredError */
    async call(request: Request, options: CallOptions): Promise<CallToolResult> {
      const { signal, timeoutMs, mayHaveActed, requireAccepted, beforeSend } = options;
      let opened = await open();
      await requireAccepted(opened.tools.get(request.tool));
      await beforeSend();
      try {
        try {
          return await send(opened, request, options);
        } catch (error) {
          if (!isLostSession(error, opened.hadId())) throw error;
          drop(opened);
          opened = await open();
          await requireAccepted(opened.tools.get(request.tool));
          return await send(opened, request, options);
        }
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        if (isUnreachable(error)) drop(opened);
        throw toError(opened.isTooLarge ? new AnswerTooLarge() : error, timeoutMs, mayHaveActed);
      }
    },

    async close(): Promise<void> {
      closing.abort(new StreamBroken());
      closing = new AbortController();
      const opened = await session?.catch(() => undefined);
      session = undefined;
      current = undefined;
      await opened?.client.close().catch(() => {});
    },
  };
}
export type ServerConnection = ReturnType<typeof createServerConnection>;

/** All tools of a server, by name. Of two with one name the first counts. */
async function listTools(client: Client, signal: AbortSignal): Promise<Map<string, SeenTool>> {
  const tools = new Map<string, SeenTool>();
  let cursor: string | undefined;
  for (let page = 0; page < mostPages && tools.size < mostTools; page += 1) {
    const params = cursor === undefined ? undefined : { cursor };
    const listed = await waitFor((options) => client.listTools(params, options), openMs, signal);
    for (const tool of listed.tools.slice(0, mostTools - tools.size)) {
      const seen = seenTool(tool);
      if (seen && !tools.has(tool.name)) tools.set(tool.name, seen);
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
  signal?: AbortSignal,
): Promise<T> {
  const call = createPendingCall();
  const link = linkAbort([...(signal ? [signal] : []), call.signal]);
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
