import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { requireMessageBlocks } from '../../../deploy/slack/fake/blocks.ts';
import { shownText } from '../../../deploy/slack/fake/shown-text.ts';
import { renderFinal, renderProgress } from '../../../slack/rendering/render.ts';
import type { SlackMessage } from '../../../slack/rendering/slack-message.ts';
import { emptyView } from '../../../slack/rendering/task-view.ts';
import { leastMs } from './least-ms.ts';
import {
  citation,
  completed,
  delta,
  modelStarted,
  started,
  toolCompleted,
  toolStarted,
  usage,
  viewOf,
} from './events.ts';

const links = {
  agent: 'knowledge',
  taskId: 'task-1',
  task: 'https://alfred.example.org/v1/tasks/1',
  temporal: 'http://127.0.0.1:8233/1',
};
const answer = (text: string, citations = [citation(1)]) =>
  viewOf([...started, completed(text, citations, citations.length > 0)]);

/** What a person sees; Slack takes the message. */
function show(messages: SlackMessage[]): string[] {
  return messages.map(({ text, blocks }) => {
    requireMessageBlocks(blocks as never);
    expect(text.trim()).not.toBe('');
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(4_000);
    expect(JSON.stringify(blocks)).not.toMatch(/<[!@#]/);
    // Slack refuses messages with a little more than 12,000 characters in all.
    const shown = shownText({ blocks: blocks as never, text, attachments: [] });
    expect(shown.length).toBeLessThanOrEqual(12_200);
    return shown;
  });
}
const visible = (text: string) => text.replace(/[\s\u2060]/g, '');

describe('the final messages', () => {
  it('have the answer, its sources and a footer', () => {
    expect(show(renderFinal(answer('**Thirty** days [1].'), links))).toEqual([
      '**Thirty** days [1].\n*[1]* policies/expenses.md › Filing, page 3\n“Reports are due within 30 days.”\nknowledge · $0.0123 · 1.0 s · <https://alfred.example.org/v1/tasks/1|task> · <http://127.0.0.1:8233/1|Temporal>\n[Useful] [Not useful]',
    ]);
    expect(renderFinal(answer('**Thirty** days [1].'), links)[0]!.text).toBe('*Thirty* days [1].');
  });

  it('name the files of the task and of tasks below it, as links where Alfred has an address', () => {
    const file = { mediaType: 'text/csv', bytes: 12, sha256: 'hash' } as const;
    const child = { taskId: 'task-2', agent: 'assistant', status: 'completed', error: null, usage } as const;
    const of = { step: 1, callId: 'c', tool: 'run_code' };
    const view = viewOf([
      ...started,
      { type: 'artifact.created', data: { ...of, ...file, artifactId: 'f-1', name: 'sums <!channel>|.csv' } },
      {
        type: 'delegation.ended',
        data: {
          ...of,
          ...child,
          artifacts: [{ ...file, id: 'f-2', taskId: 'task-2', name: 'chart.svg', createdAt: '2026-01-01T00:00:00Z' }],
        },
      },
      completed('Done.'),
    ]);
    const [shown] = show(renderFinal(view, links));
    expect(visible(shown ?? '')).toContain(
      ':page_facing_up:<https://alfred.example.org/v1/tasks/1/artifacts/f-1|sums&lt;!channel&gt;¦.csv>',
    );
    expect(shown).toContain('<https://alfred.example.org/v1/tasks/1/artifacts/f-2|chart.svg>');
    expect(show(renderFinal(view, { agent: 'knowledge' }))[0]).toContain(':page_facing_up: chart.svg');
    // Where no one has asked, a run that failed shows nothing of what it made.
    const failed = viewOf([{ type: 'task.failed', data: { error: { code: 'internal', message: 'x' }, usage } }], view);
    expect(show(renderFinal(failed, { ...links, isUnasked: true })).join()).not.toContain('chart.svg');
  });

  it('has no more than ten names of files in one block', () => {
    const many = Array.from({ length: 12 }, (_, n) => ({
      type: 'artifact.created' as const,
      data: {
        step: 1,
        callId: 'c',
        tool: 't',
        artifactId: `f-${n}`,
        name: `${n}.csv`,
        mediaType: 'text/csv' as const,
        bytes: 1,
        sha256: 'h',
      },
    }));
    const [shown] = show(renderFinal(viewOf([...started, ...many, completed('Done.')]), links));
    expect(shown).toContain('and 3 more');
  });

  it('an answer without a source says so', () => {
    expect(show(renderFinal(answer('Perhaps.', []), { agent: 'knowledge' }))).toEqual([
      'Perhaps.\nThis answer cites no document: nothing shows that it is right.\nknowledge · $0.0123 · 1.0 s',
    ]);
  });

  it('an answer of 30,000 characters with tables and code is taken whole', () => {
    const table = `| n | text |\n|--:|------|\n${Array.from({ length: 150 }, (_, at) => `| ${at} | ${'cell '.repeat(8)}|`).join('\n')}\n`;
    const code = `\`\`\`ts\n${Array.from({ length: 250 }, (_, at) => `const value${at} = compute(${at});`).join('\n')}\n\`\`\`\n`;
    const prose = `${'The deadline is in the policy [1]. '.repeat(40)}\n\n`;
    const text = `# Answer\n\n${prose.repeat(4)}## Table\n\n${table}\n${prose}## Code\n\n${code}\n${prose.repeat(6)}`;
    expect(text.length).toBeGreaterThan(28_000);
    const citations = Array.from({ length: 12 }, (_, at) => citation(at + 1));
    const shown = show(renderFinal(answer(text, citations), links));
    expect(shown.length).toBeLessThanOrEqual(6);
    for (const line of text.split('\n')) expect(shown.join('\n')).toContain(line);
    expect(shown.at(-1)).toContain('[12]');
  });

  it('hold every character of every text, and Slack takes them', () => {
    const unit = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 30 }),
      fc.constantFrom('<!here>', '@channel', '\n', '\n\n', '```\n', '# ', '| a | b |\n|---|---|\n', '👍🏽'),
    );
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 40 }), fc.integer({ min: 1, max: 60 }), (units, times) => {
        const text = units.join('').repeat(times);
        const shown = show(renderFinal(answer(text), links)).join('');
        let at = 0;
        const all = visible(shown);
        for (const line of text.split('\n').map(visible)) {
          at = all.indexOf(line, at);
          expect(at).toBeGreaterThanOrEqual(0);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('many sources go into a message of their own', () => {
    const shown = show(
      renderFinal(
        answer(
          'All of them.',
          Array.from({ length: 60 }, (_, at) => citation(at + 1)),
        ),
        links,
      ),
    );
    expect(shown[0]).toBe('All of them.');
    expect(shown.slice(1).join('\n')).toContain('*[60]*');
  });

  it('a failure and a stop keep what was written', () => {
    const view = viewOf([...started, modelStarted(1), delta('So far.')]);
    const error = { code: 'model_refused', message: 'The model declined to answer.' } as const;
    const failed = show(renderFinal(viewOf([{ type: 'task.failed', data: { error, usage } }], view), links));
    expect(failed[0]).toMatch(
      /^So far\.\n:warning: \*This failed\.\* The model declined to answer\.\nChange the question\. \(`model_refused`\)\nknowledge/,
    );
    const stopped = show(
      renderFinal(viewOf([{ type: 'task.cancelled', data: { reason: 'Enough.', usage } }], view), links),
    );
    expect(stopped[0]).toMatch(/^So far\.\n:octagonal_sign: \*Stopped\.\* Enough\./);
    const searching = viewOf([...started, toolStarted('c1', 'deadline')]);
    const broken = show(renderFinal(viewOf([{ type: 'task.failed', data: { error, usage } }], searching), links));
    expect(broken[0]).toMatch(/^:x: searching documents: deadline\n:warning:/);
    const nothing = show(renderFinal(viewOf([...started, { type: 'task.failed', data: { error, usage } }]), links));
    expect(nothing[0]).toMatch(/^:warning:/);
  });

  it('headings without end are no flood of messages', () => {
    expect(renderFinal(answer('# A\n\n'.repeat(6_000)), links).length).toBeLessThanOrEqual(5);
    expect(renderFinal(answer('# A\n\nText.\n\n'.repeat(60)), links).length).toBe(3);
  });

  it.each(['`', '>', '- ', '|a|b|\n|-|-|\n', '```\n', '[', '*a ', '# a\n', '👩‍👩‍👧‍👦', '<!here>'])(
    'are made fast of many %s',
    (text) => {
      const view = answer(text.repeat(30_000 / text.length));
      expect(leastMs(() => renderFinal(view, links))).toBeLessThan(2_000);
      show(renderFinal(view, links));
    },
  );

  it('are the same each time', () => {
    const view = answer('# A\n\n'.repeat(3_000));
    expect(renderFinal(view, links)).toEqual(renderFinal(view, links));
  });
});

describe('progress', () => {
  it('shows steps, text and what goes on', () => {
    const view = viewOf([
      ...started,
      toolStarted('c1', 'deadline'),
      toolCompleted('c1', '3 passages'),
      modelStarted(2),
      delta('Thirty'),
    ]);
    expect(show([renderProgress(view)])).toEqual([
      ':white_check_mark: searching documents: deadline – 3 passages\nThirty\nAlfred is writing …',
    ]);
    expect(show([renderProgress(emptyView)])).toEqual(['Alfred is working …']);
  });

  it('shows the last of many steps', () => {
    const events = Array.from({ length: 20 }, (_, at) => toolStarted(`c${at}`, `query ${at}`));
    const [shown] = show([renderProgress(viewOf([...started, ...events]))]);
    expect(shown).toMatch(/^15 earlier steps :hourglass_flowing_sand: searching documents: query 15 /);
  });

  it('a long text is cut, and says so', () => {
    const [shown] = show([renderProgress(viewOf([...started, modelStarted(1), delta('word '.repeat(5_000))]))]);
    expect(shown).toContain('The text goes on. All of it is shown when it is complete.');
  });

  it('says what it waits for', () => {
    const waiting = {
      type: 'task.waiting',
      data: { reason: 'budget', scope: 'task', limit: 'maxTokens', message: 'The budget is reached.' },
    } as const;
    const message = renderProgress(viewOf([...started, waiting]), { taskId: 'task-1' });
    expect(show([message])[0]).toContain('`alfred tasks grant task-1 --max-tokens &lt;new total&gt;`');
    expect(message.text).toContain('*Waiting.* The budget is reached.');
  });
});
