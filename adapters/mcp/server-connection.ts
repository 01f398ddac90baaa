import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import type { AlfredError } from '../../contract/errors.ts';
import { placeOf, type McpServerSettings } from '../../runtime/mcp-settings.ts';
import { callError, isLostSession, isUnreachable } from './call-errors.ts';
import type { SeenTool } from './definitions.ts';
import { AnswerTooLarge, pendingCall, StreamBroken } from './pending-call.ts';
import { openMs, openSession, type CallRequest, type Session } from './session.ts';

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
  let session: Promise<Session> | undefined;
  /** The session that is open, to read without waiting. */
  let current: Session | undefined;
  let isStale = false;
  let closing = new AbortController();

  const drop = (lost: Session | undefined) => {
    if (lost !== undefined && current === lost) {
      current = undefined;
      session = undefined;
    }
    lost?.close();
  };

  const toError = (error: unknown, timeoutMs: number, mayHaveActed: boolean) =>
    callError({ server: name, place: placeOf(settings), error, timeoutMs, maxBytes: settings.maxBytes, mayHaveActed });

  const record = (tools: Session['tools']) => onTools([...tools.values()]);

  const start = async (): Promise<Session> => {
    let opened: Session | undefined;
    isStale = false;
    try {
      opened = await openSession(makeTransport(), closing.signal, {
        onClose: () => drop(opened),
        onChange: () => {
          isStale = true;
          onChange();
        },
      });
    } catch (error) {
      throw toError(error, openMs, false);
    }
    try {
      await record(opened.tools);
    } catch (error) {
      opened.close();
      throw error;
    }
    current = opened;
    return opened;
  };

  const open = async (): Promise<Session> => {
    // Outside the call that happens to open it: streams of the session outlive that call.
    session ??= pendingCall.run(undefined, start).catch((error: unknown) => {
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
      await opened.list(closing.signal);
    } catch (error) {
      drop(opened);
      throw toError(error, openMs, false);
    }
    await record(opened.tools);
  }

  const steps: Steps = {
    open,
    drop,
    toError: (error, { timeoutMs, mayHaveActed }) => toError(error, timeoutMs, mayHaveActed),
  };

  return {
    /** The tools of the open session; undefined while there is none. */
    tools: () => current?.tools,
    call: (request: CallRequest, options: CallOptions) => callTool(steps, request, options),

    /** Opens the session if there is none, and reads the list of tools again if there is one. @throws AlfredError */
    async refresh(): Promise<void> {
      if (current) isStale = true;
      await open();
    },

    async close(): Promise<void> {
      closing.abort(new StreamBroken());
      closing = new AbortController();
      const opened = await session?.catch(() => undefined);
      session = undefined;
      current = undefined;
      opened?.close();
    },
  };
}
export type ServerConnection = ReturnType<typeof createServerConnection>;

type Steps = {
  open: () => Promise<Session>;
  drop: (lost: Session) => void;
  toError: (error: unknown, options: CallOptions) => AlfredError;
};

/** Calls a tool, in a new session if the server has forgotten the one that was open. @throws AlfredError */
async function callTool(
  { open, drop, toError }: Steps,
  request: CallRequest,
  options: CallOptions,
): Promise<CallToolResult> {
  const { signal, requireAccepted, beforeSend } = options;
  let opened = await open();
  await requireAccepted(opened.tools.get(request.tool));
  await beforeSend();
  try {
    try {
      return await opened.call(request, options);
    } catch (error) {
      if (!isLostSession(error, opened.hasId())) throw error;
      drop(opened);
      opened = await open();
      await requireAccepted(opened.tools.get(request.tool));
      return await opened.call(request, options);
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (isUnreachable(error)) drop(opened);
    throw toError(opened.isTooLarge() ? new AnswerTooLarge() : error, options);
  }
}
