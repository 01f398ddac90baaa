import type { JsonObject } from '../json.ts';

/** What an MCP server says of one of its tools. All of it is text of others. */
export type McpToolDefinition = {
  name: string;
  description: string;
  inputSchema: JsonObject;
  outputSchema?: JsonObject | undefined;
};

/** A tool as the workers saw it last, and what an operator has accepted of it. */
export type McpToolRow = {
  server: string;
  tool: string;
  /** `sha256:` and the hash of name, description and schemas. */
  fingerprint: string;
  definition: McpToolDefinition;
  seenAt: Date;
  acceptedFingerprint: string | null;
  acceptedDefinition: McpToolDefinition | null;
  acceptedBy: string | null;
  acceptedAt: Date | null;
};

/** What is known of the tools of MCP servers. It belongs to the deployment, as their configuration does. */
export interface McpToolStore {
  list(): Promise<McpToolRow[]>;
  find(server: string, tool: string): Promise<McpToolRow | undefined>;

  /** Records the tools that a server has now. Those that it has no more are removed, unless they were accepted. */
  record(server: string, tools: readonly Pick<McpToolRow, 'fingerprint' | 'definition'>[]): Promise<void>;

  /** Accepts a tool as it is. @returns false when its fingerprint is another one by now */
  accept(tool: Pick<McpToolRow, 'server' | 'tool' | 'fingerprint'>, by: string): Promise<boolean>;
}

/** What a server answered to a call, as far as a model may read it. */
export type McpAnswer = {
  text: string;
  /** The structured content, which fits the tool's output schema. */
  data?: JsonObject | undefined;
  /** Names of what is not passed on: images, sounds, resources. */
  omitted: string[];
  /** The tool reports a failure of its own. */
  failed: boolean;
};

export type McpCall = { server: string; tool: string; input: JsonObject };

/** Calls tools of MCP servers that the operator has configured. */
export interface McpTools {
  /** A tool that may be offered now; undefined while it is held, gone or not known. */
  find(server: string, tool: string): McpToolDefinition | undefined;

  /** @throws AlfredError `invalid_request` when the arguments do not fit the tool's schema */
  check(call: McpCall): void;

  /**
   * Calls a tool.
   *
   * @param options `beforeSend` runs after the session is open and before the call is sent
   * @throws AlfredError `effect_unknown` when the call was sent and it is not known what came of it; any other code
   *   means that nothing happened
   */
  call(call: McpCall, options: { signal: AbortSignal; beforeSend: () => Promise<void> }): Promise<McpAnswer>;
}
