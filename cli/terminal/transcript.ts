import type { TaskEvent } from '../../contract/events.ts';
import type { JsonValue } from '../../contract/json.ts';
import type { Citation, TaskResult, TaskUsage } from '../../contract/task.ts';
import { count, dollars, duration, place, tokens } from './format.ts';
import { wrap, type Terminal } from './terminal.ts';

/**
 * Shows a task as it happens. On a terminal text appears as the model writes it; elsewhere standard output gets the
 * answer alone, once it is certain which text is the answer.
 */
export function createTranscript(terminal: Terminal, { stream, taskId }: { stream: boolean; taskId: string }) {
  let written = '';
  let model = '';
  const endLine = () => {
    if (written && !written.endsWith('\n')) terminal.write('\n');
  };

  /** What was written so far is not the answer. */
  const breakOff = () => {
    endLine();
    if (written) terminal.note('(that broke off and is void)', 'dim');
    written = '';
  };

  function show(event: TaskEvent) {
    switch (event.type) {
      case 'task.started':
        model = event.data.model;
        break;
      case 'model.started':
        model = event.data.model;
        if (event.data.attempt > 1) breakOff();
        endLine();
        written = '';
        terminal.status(`step ${event.data.step}: ${model} is thinking …`);
        break;
      case 'text.delta':
        if (!stream) break;
        terminal.write(event.data.text);
        written += event.data.text;
        break;
      case 'model.failed':
        breakOff();
        terminal.note(`${event.data.error.message}${event.data.willRetry ? ' Trying again …' : ''}`, 'dim');
        break;
      case 'tool.started':
        endLine();
        written = '';
        terminal.note(`${toolPhrase(event.data.tool, event.data.arguments)} …`, 'dim');
        break;
      case 'tool.completed':
        terminal.note(
          `  ${event.data.isError ? 'failed: ' : ''}${event.data.summary} (${duration(event.data.durationMs)})`,
          'dim',
        );
        break;
      case 'task.waiting':
        endLine();
        terminal.note(`Waiting: ${event.data.message}`);
        if (event.data.scope === 'task')
          terminal.note(
            `  alfred tasks grant ${taskId} ${grantOption(event.data.limit)} <new total>, or --finish`,
            'dim',
          );
        break;
      case 'approval.requested':
        endLine();
        terminal.note(`Needs approval: ${toolPhrase(event.data.tool, event.data.arguments)}`);
        terminal.note(`  alfred approvals approve ${event.data.approvalId}, or deny`, 'dim');
        break;
      case 'approval.decided':
        terminal.note(
          `  ${event.data.decision}${event.data.by === null ? '' : ` by ${event.data.by}`}${event.data.comment ? `: ${event.data.comment}` : ''}`,
          'dim',
        );
        break;
      case 'effect.undone':
        terminal.note(`${event.data.tool}, ${event.data.state.replaceAll('_', ' ')}: ${event.data.summary}`, 'dim');
        break;
      case 'message.steered':
        endLine();
        terminal.note(`“${event.data.text}”`, 'dim');
        break;
      case 'model.fallback':
        terminal.note(`${event.data.from} does not answer; asking ${event.data.to} …`, 'dim');
        break;
      case 'model.corrected':
        endLine();
        written = '';
        terminal.note('The answer could not be used; the model is told so …', 'dim');
        break;
      case 'context.compacted':
        terminal.note(
          `The conversation was made shorter to fit the model (${event.data.method.replaceAll('_', ' ')}).`,
          'dim',
        );
        break;
      case 'task.resumed':
        // What was said before may be said again.
        endLine();
        written = '';
        terminal.note(event.data.reason, 'dim');
        break;
      case 'task.completed':
        // What streamed is the answer, unless its last attempt differs from what was stored.
        if (written.trim() !== event.data.result.text.trim()) {
          endLine();
          if (written) terminal.print();
          terminal.write(event.data.result.text);
          written = event.data.result.text;
        }
        endLine();
        break;
      case 'task.failed':
      case 'task.cancelled':
        endLine();
        break;
      case 'task.queued':
      case 'budget.granted':
      case 'approval.escalated':
      case 'model.completed':
        break;
    }
  }

  return {
    show,
    model: () => model,
  };
}

const grantOption = (limit: keyof typeof grantOptions | undefined) => (limit ? grantOptions[limit] : '');
const grantOptions = {
  maxCostUsd: '--max-cost-usd',
  maxTokens: '--max-tokens',
  maxModelCalls: '--max-model-calls',
  maxDurationS: '--max-duration-s',
} as const;

/** What a tool does, in words: `searching documents: expense report deadline`. */
export function toolPhrase(tool: string, input: JsonValue): string {
  const fields = typeof input === 'object' && input !== null && !Array.isArray(input) ? input : {};
  if (tool === 'search_documents' && typeof fields.query === 'string') return `searching documents: ${fields.query}`;
  if (tool === 'read_document') return 'reading a document';
  const text = JSON.stringify(input);
  return `${tool.replaceAll('_', ' ')}: ${text.length > 100 ? `${text.slice(0, 99)}…` : text}`;
}

/** Numbered sources: where each claim stands, and the words that stand there. */
export function citationLines(citations: Citation[], width: number): string {
  return citations
    .map((citation) => `[${citation.n}] ${place(citation)}\n${wrap(`“${citation.quote}”`, width, '    ')}`)
    .join('\n');
}

/** One line: tokens, cost, duration, model. */
export function costLine(usage: TaskUsage, durationMs: number, model: string): string {
  return [tokens(usage), dollars(usage.costUsd), duration(durationMs), count(usage.modelCalls, 'model call'), model]
    .filter(Boolean)
    .join(' · ');
}

/** Standard output: on a terminal all of it in one place, elsewhere the answer alone. */
export function showEnding(
  terminal: Terminal,
  ending: { result?: TaskResult; usage: TaskUsage; durationMs: number; model: string; link?: string },
) {
  const say = (line: string) => (terminal.isLive ? terminal.printStyled('dim', line) : terminal.note(line));
  const citations = ending.result?.citations ?? [];
  // The sources belong to the answer, also in a file: without them its numbers point nowhere.
  if (citations.length > 0) terminal.print(`\n${citationLines(citations, terminal.columns)}`);
  say('');
  say(costLine(ending.usage, ending.durationMs, ending.model));
  if (ending.link !== undefined) say(ending.link);
}
