import { expect, test } from '@jest/globals';
import { createMetrics } from '../../runtime/metrics.ts';
import { startRetention } from '../../slack/retention.ts';
import { until } from '../support/until.ts';

const nothing = { removeOld: async () => 0 };

async function removeOnce(teams: string[]) {
  const asked: string[][] = [];
  const warned: unknown[] = [];
  const metrics = createMetrics();
  let isDone = false;
  const end = startRetention({
    inbox: {
      ...nothing,
      removeAbandoned: async (served) => {
        asked.push(served);
        return [{ team: 'T9', count: 3 }];
      },
    },
    files: nothing,
    installations: nothing,
    links: nothing,
    notifications: nothing,
    posts: nothing,
    threads: {
      removeOld: async () => {
        isDone = true;
        return 0;
      },
    },
    teams: () => teams,
    log: { info: () => undefined, warn: (fields: unknown) => void warned.push(fields) },
    metrics,
  });
  await until('old rows are removed', () => isDone && (teams.length === 0 || warned.length > 0));
  end();
  const { values } = await metrics.slackDeliveries.get();
  return { asked, warned, counted: values.filter(({ value }) => value > 0) };
}

test('deliveries of workspaces that no process serves are counted and logged when they are removed', async () => {
  expect(await removeOnce(['T1'])).toMatchObject({
    asked: [['T1']],
    warned: [{ team: 'T9', count: 3 }],
    counted: [{ labels: { outcome: 'abandoned' }, value: 3 }],
  });
});

test('while it is not known which workspace is served, none is taken for abandoned', async () => {
  expect(await removeOnce([])).toEqual({ asked: [], warned: [], counted: [] });
});
