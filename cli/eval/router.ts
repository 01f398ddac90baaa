import { randomUUID } from 'node:crypto';
import { naming } from '../../activities/delegation/agents-to-ask.ts';
import { alfred } from '../../agents/alfred/agent.ts';
import { readDocumentTool } from '../../agents/tools/documents/read-document.ts';
import { searchDocumentsTool } from '../../agents/tools/documents/search-documents.ts';
import { askPersonTool } from '../../agents/tools/orchestration/ask-person.ts';
import { delegateTool } from '../../agents/tools/orchestration/delegate.ts';
import { setPlanTool } from '../../agents/tools/orchestration/set-plan.ts';
import { AlfredError } from '../../contract/errors.ts';
import type { Message, ModelProvider, ModelRequest, Tool } from '../../contract/ports/index.ts';
import { DelegateArguments } from '../../contract/delegation.ts';
import type { AssistantPart } from '../../contract/messages.ts';
import type { RoutedRequest, RouterSet } from './router-set.ts';

/** What became of a request. `chosen`: the agents that the first delegating step names, sorted. */
export type Routing = RoutedRequest & { chosen: string[]; isRight: boolean; failed?: string; tokens: number };

/** After a plan the model is asked again. */
const mostSteps = 3;
const maxOutputTokens = 2_000;

type Options = { model: string; atOnce: number; onProgress: (line: string) => void };

/**
 * Asks a model, with the instructions and tools of `alfred`, to which agents it gives each request. No agent runs.
 *
 * @returns the requests in their order; one whose call has failed is wrong, and says why
 */
export async function evaluateRouter(
  provider: ModelProvider,
  set: RouterSet,
  { model, atOnce, onProgress }: Options,
): Promise<Routing[]> {
  const tools = toolsFor(set);
  const routings: Routing[] = [];
  const rest = set.requests.map((request, index) => ({ request, index }));
  let done = 0;
  const work = async () => {
    for (let next = rest.shift(); next; next = rest.shift()) {
      routings[next.index] = await route(provider, { model, tools, set }, next.request);
      onProgress(`${++done} of ${set.requests.length} requests`);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, rest.length) }, work));
  return routings;
}

/** The tools that choose. Their descriptions are those of the product; none of them runs. */
function toolsFor({ agents }: RouterSet): ModelRequest['tools'] {
  const none = () => Promise.reject(new AlfredError('internal', 'No tool runs in this evaluation.'));
  const described = Object.fromEntries(agents.map(({ name, ...described }) => [name, { ...alfred, ...described }]));
  const delegate = naming(described, delegateTool, Object.keys(described));
  const tools: Tool[] = [
    searchDocumentsTool({ search: none }),
    readDocumentTool({ read: none }),
    delegate,
    setPlanTool,
    askPersonTool,
  ];
  return tools.map(({ name, description, inputSchema }) => ({ name, description, inputSchema }));
}

type Asked = { model: string; tools: ModelRequest['tools']; set: RouterSet };

async function route(provider: ModelProvider, asked: Asked, request: RoutedRequest): Promise<Routing> {
  let tokens = 0;
  try {
    const messages: Message[] = [{ role: 'user', text: request.request }];
    for (let step = 1; step <= mostSteps; step++) {
      const answer = await ask(provider, asked, messages, step);
      tokens += answer.tokens;
      const calls = answer.parts.filter((part) => part.type === 'tool_call');
      const chosen = chosenBy(calls);
      const isPlanOnly = calls.length > 0 && calls.every(({ tool }) => tool === 'set_plan');
      if (!isPlanOnly) return { ...request, chosen, isRight: isRight(asked.set, request, chosen), tokens };
      const results = calls.map(({ callId, tool }) => ({ callId, tool, output: { shown: true }, isError: false }));
      messages.push({ role: 'assistant', parts: answer.parts }, { role: 'tool', results });
    }
    return { ...request, chosen: [], isRight: isRight(asked.set, request, []), tokens };
  } catch (error) {
    const failed = error instanceof AlfredError ? `${error.code}: ${error.message}` : String(error);
    return { ...request, chosen: [], isRight: false, failed, tokens };
  }
}

async function ask(provider: ModelProvider, { model, tools }: Asked, messages: Message[], step: number) {
  const request: ModelRequest = {
    model,
    instructions: alfred.instructions,
    messages,
    tools,
    maxOutputTokens,
    idempotencyKey: `${randomUUID()}/${step}`,
  };
  let tokens = 0;
  let parts: AssistantPart[] = [];
  for await (const event of provider.stream(request, AbortSignal.timeout(120_000))) {
    if (event.type === 'usage') tokens = event.usage.inputTokens + event.usage.outputTokens;
    if (event.type === 'end') parts = event.parts;
  }
  return { parts, tokens };
}

type Call = Extract<AssistantPart, { type: 'tool_call' }>;

const chosenBy = (calls: Call[]): string[] => {
  const named = calls.flatMap(({ tool, arguments: input }) =>
    tool === 'delegate' ? [DelegateArguments.safeParse(input).data?.agent ?? '(no agent)'] : [],
  );
  return [...new Set(named)].sort();
};

function isRight({ asItself }: RouterSet, { agents }: RoutedRequest, chosen: string[]): boolean {
  const wanted = [...agents].sort();
  const isSame = (a: string[], b: string[]) => a.length === b.length && a.every((name, index) => name === b[index]);
  if (isSame(wanted, chosen)) return true;
  const others = (names: string[]) => names.filter((name) => !asItself.includes(name));
  return isSame(others(wanted), others(chosen)) && others(wanted).length === 0;
}
