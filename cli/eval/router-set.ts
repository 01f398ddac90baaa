import { z } from 'zod';
import { usageError } from '../cli-error.ts';
import { readJson } from '../read-json.ts';

const name = z.string().regex(/^[a-z][a-z0-9-]*$/);

/** One request, and who it is for. */
export const RoutedRequest = z.strictObject({
  request: z.string().trim().min(1).max(20_000),
  agents: z.array(name).describe('Who does a part of it; none: the documents settle it, or no agent is there for it'),
  confusing: z.boolean().describe('Written so that its words lead to another agent'),
  half: z.enum(['tuning', 'held_out']).describe('What the descriptions were written with, and what only judges'),
});
export type RoutedRequest = z.output<typeof RoutedRequest>;

const RouterSet = z
  .strictObject({
    agents: z.array(z.strictObject({ name, description: z.string().min(1), examples: z.array(z.string()) })).min(1),
    asItself: z.array(name).describe('To delegate to these alone is as good as to answer itself').default([]),
    requests: z.array(RoutedRequest).min(1),
  })
  .superRefine(({ agents, requests }, context) => {
    const known = new Set(agents.map((agent) => agent.name));
    requests.forEach(({ agents: wanted }, index) => {
      const unknown = wanted.find((one) => !known.has(one));
      if (unknown)
        context.addIssue({ code: 'custom', path: ['requests', index, 'agents'], message: `no agent "${unknown}"` });
    });
  });
export type RouterSet = z.output<typeof RouterSet>;

/** @throws CliError that says what is wrong with the file */
export async function readRouterSet(path: string): Promise<RouterSet> {
  const parsed = RouterSet.safeParse(await readJson(path));
  if (!parsed.success) throw usageError(`${path} is no set of requests: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}
