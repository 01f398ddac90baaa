import { describe, expect, it } from '@jest/globals';
import { stepChunks } from '../../../slack/rendering/step-chunks.ts';
import { emptyView, type TaskStep } from '../../../slack/rendering/task-view.ts';
import { started, toolCompleted, toolStarted, viewOf } from './events.ts';

const running = viewOf([...started, toolStarted('c1', 'deadline')]);
const chunk = { type: 'task_update', id: 'c1', title: 'searching documents: deadline' };

describe('steps as chunks of a stream', () => {
  it('have an update for each change', () => {
    expect(stepChunks(emptyView, running)).toEqual([{ ...chunk, status: 'in_progress' }]);
    const done = viewOf([toolCompleted('c1', '3 passages')], running);
    expect(stepChunks(running, done)).toEqual([{ ...chunk, status: 'complete', output: '3 passages' }]);
    expect(stepChunks(done, done)).toEqual([]);
    const failed = viewOf([toolCompleted('c1', 'No index.', true)], running);
    expect(stepChunks(running, failed)).toEqual([{ ...chunk, status: 'error', output: 'No index.' }]);
  });

  it('further details stand on a line of their own, because Slack adds them', () => {
    const step = (details: string, state: TaskStep['state'] = 'running') => ({
      steps: [{ id: 'c', title: 't', state, details }],
    });
    expect(stepChunks(step('needs approval'), step('approved by anna'))).toMatchObject([
      { details: '\napproved by anna' },
    ]);
    const [chunk] = stepChunks(step('approved by anna'), step('approved by anna', 'error'));
    expect(chunk).toEqual({ type: 'task_update', id: 'c', title: 't', status: 'error' });
  });

  it('are short lines without mentions', () => {
    const steps: TaskStep[] = [
      { id: 'c', title: `<!here>\n${'x'.repeat(900)}`, state: 'done', details: 'y '.repeat(900) },
    ];
    const [chunk] = stepChunks(emptyView, { steps });
    expect(chunk!.title).toHaveLength(250);
    expect(chunk!.title).toMatch(/^<\u2060!here> x+…$/);
    expect(chunk!.output!.length).toBeLessThanOrEqual(250);
  });
});
