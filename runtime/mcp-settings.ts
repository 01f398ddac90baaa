import { createHash } from 'node:crypto';
import { z } from 'zod';
import { url } from './variables/values.ts';

/** Providers of models take names of tools of at most 64 characters. */
const longestName = 64;
/** Characters that tell long names apart which begin alike. */
const hashLength = 8;

const McpToolSettings = z.strictObject({
  effect: z.enum(['read', 'write'], 'expected read or write: whether a call changes something'),
  agents: z.array(z.string().min(1)).min(1, 'expected the agents that may call it').max(100),
  repeatable: z.boolean().optional(),
  timeoutS: z.number().min(0.1).max(240).optional(),
  fingerprint: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/, 'expected sha256:… as `alfred mcp list` shows it')
    .optional(),
});
export type McpToolSettings = z.infer<typeof McpToolSettings>;

const VariableName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected the name of a variable');

const McpServer = z
  .strictObject({
    url: url(/^https?:$/, 'https://host/path').optional(),
    headers: z.record(z.string().regex(/^[A-Za-z0-9-]+$/, 'expected the name of a header'), z.string()).optional(),
    oauth: z
      .strictObject({
        tokenUrl: url(/^https?:$/, 'https://host/path'),
        clientId: z.string().min(1),
        clientSecret: VariableName,
        scope: z.string().min(1).optional(),
        resource: z.string().min(1).optional(),
      })
      .optional(),
    command: z.string().min(1).optional(),
    args: z.array(z.string()).max(100).optional(),
    env: z.array(VariableName).max(100).optional(),
    cwd: z.string().min(1).optional(),
    tools: z.record(z.string().min(1).max(128), McpToolSettings),
    timeoutS: z.number().min(0.1).max(240).default(60),
    maxBytes: z.int().min(1_000).max(50_000_000).default(2_000_000),
  })
  .superRefine((server, context) => {
    const fault = (path: string[], message: string) =>
      context.addIssue({ code: 'custom', path, message, input: undefined });
    if ((server.url === undefined) === (server.command === undefined))
      fault([], 'expected `url` (a server over HTTP) or `command` (a program on this machine), one of the two');
    for (const name of ['headers', 'oauth'] as const)
      if (server.command !== undefined && server[name] !== undefined) fault([name], 'goes with `url`');
    for (const name of ['args', 'env', 'cwd'] as const)
      if (server.url !== undefined && server[name] !== undefined) fault([name], 'goes with `command`');
    const { username, password } = server.url === undefined ? { username: '', password: '' } : new URL(server.url);
    if (username !== '' || password !== '') fault(['url'], 'expected no password in the address: use `headers`');
    for (const [name, value] of Object.entries(server.headers ?? {})) {
      if (/auth|cookie|key|token|secret/i.test(name) && variablesIn(value).length === 0)
        fault(
          ['headers', name],
          'a secret stands in a variable of its own, which the header names: Bearer ${CRM_TOKEN}',
        );
      if (server.oauth !== undefined && name.toLowerCase() === 'authorization')
        fault(['headers', name], 'expected without `oauth`, which sets this header');
    }
    for (const [tool, { effect, repeatable }] of Object.entries(server.tools))
      if (repeatable === true && effect === 'read')
        fault(['tools', tool, 'repeatable'], 'goes with the effect write; a call that reads is always repeated');
  });
export type McpServerSettings = z.infer<typeof McpServer>;

/** ALFRED_MCP_SERVERS: the servers whose tools agents get, by a name that the operator chooses. */
export const McpServers = z
  .record(z.string().regex(/^[a-z][a-z0-9-]{0,23}$/, 'expected a short name of a server like crm'), McpServer)
  .superRefine((servers, context) => {
    const known = new Map<string, string>();
    for (const { server, tool, name } of mcpToolsIn(servers)) {
      const other = known.get(name);
      if (other !== undefined)
        context.addIssue({
          code: 'custom',
          path: [server, 'tools', tool],
          message: `would be called ${name}, as ${other} is: give the server another name`,
          input: undefined,
        });
      known.set(name, `${tool} of ${server}`);
    }
  });
export type McpServers = Readonly<Record<string, McpServerSettings>>;

/** A configured tool. `name`: what models call it. */
export type ConfiguredMcpTool = { server: string; tool: string; name: string; settings: McpToolSettings };

/** Every tool that the configuration lists. */
export const mcpToolsIn = (servers: McpServers = {}): ConfiguredMcpTool[] =>
  Object.entries(servers).flatMap(([server, { tools }]) =>
    Object.entries(tools).map(([tool, settings]) => ({ server, tool, name: mcpToolName(server, tool), settings })),
  );

/** `mcp_<server>_<tool>` in characters that every provider takes, and no longer than they take. */
export function mcpToolName(server: string, tool: string): string {
  const name = `mcp_${server}_${tool}`.replace(/[^A-Za-z0-9_-]/g, '_');
  if (name.length <= longestName) return name;
  const hash = createHash('sha256').update(`${server}/${tool}`).digest('hex').slice(0, hashLength);
  return `${name.slice(0, longestName - hashLength - 1)}_${hash}`;
}

/** The variables that a header names, like `CRM_TOKEN` in `Bearer ${CRM_TOKEN}`. */
export const variablesIn = (text: string): string[] =>
  [...text.matchAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g)].map(([, name = '']) => name);

/** The variables that a server needs: of its headers, its credentials or its program. */
export const variablesOf = ({ headers = {}, oauth, env = [] }: McpServerSettings): string[] => [
  ...new Set([...Object.values(headers).flatMap(variablesIn), ...(oauth ? [oauth.clientSecret] : []), ...env]),
];

/** Where a server is, for people: host and port, or the program. The rest of an address may hold secrets. */
export const placeOf = ({ url: address, command = '' }: McpServerSettings): string =>
  address === undefined ? command : new URL(address).host;
