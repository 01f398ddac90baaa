import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { SlackInstallation } from '../../../contract/ports/index.ts';
import type { Identity } from '../../../slack/identify.ts';
import { serveWorkspaces } from '../../../slack/workspaces/serve-workspaces.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const row = (team: string, state: SlackInstallation['state']): SlackInstallation => ({
  team,
  name: team,
  state,
  tenant: state === 'pending' ? null : 'globex',
  botId: 'B1',
  botUserId: 'U0',
  installedBy: 'U1',
  installedAt: new Date(0),
  allowedAt: null,
  endedAt: null,
});

function createStage({ own }: { own?: Promise<Identity> } = {}) {
  let rows: SlackInstallation[] = [];
  let ownTeam: string | undefined;
  let isOwnRefused = false;
  /** What is asked for, by each processor and poster. */
  const processors: (() => string[])[] = [];
  const posters = new Set<string>();
  const openProcessor = () => {
    let asks = () => [] as string[];
    processors.push(() => asks());
    return {
      wake: () => undefined,
      start(teams: () => string[]) {
        asks = teams;
      },
      async stop() {
        asks = () => [];
      },
    };
  };
  const served = serveWorkspaces({
    own,
    isOwnRefused: () => isOwnRefused,
    installations: { list: async () => rows },
    isOwn: (team) => team === ownTeam,
    openProcessor,
    openRefuser: openProcessor,
    openPoster: () => {
      let of = '';
      return {
        start(team) {
          of = team;
          posters.add(team);
        },
        wake: () => undefined,
        stop: async () => void posters.delete(of),
      };
    },
    log: { info: () => undefined, warn: () => undefined },
  });
  return {
    served,
    processed: () => processors.map((asks) => asks()).filter((teams) => teams.length > 0),
    posters: () => [...posters],
    refresh: async (...installed: SlackInstallation[]) => {
      rows = installed;
      await served.refresh();
    },
    refuseOwn: () => {
      isOwnRefused = true;
    },
    nameOwn: async (team: string) => {
      ownTeam = team;
      await served.startOwn(team);
    },
  };
}

test('all workspaces that are not let in have one processor, and none of them has a poster', async () => {
  const { served, refresh, processed, posters } = createStage();
  served.start();
  await refresh(row('T1', 'allowed'), row('T2', 'pending'), row('T3', 'ended'), row('T4', 'pending'));
  expect(processed()).toEqual(expect.arrayContaining([['T1'], ['T2', 'T3', 'T4']]));
  expect(processed()).toHaveLength(2);
  expect(posters()).toEqual(['T1']);
  expect(served.teams().toSorted()).toEqual(['T1', 'T2', 'T3', 'T4']);
  await refresh(row('T1', 'ended'), row('T2', 'allowed'), row('T3', 'ended'));
  expect(processed()).toEqual(expect.arrayContaining([['T2'], ['T1', 'T3']]));
  expect(posters()).toEqual(['T2']);
  await served.stop(0);
});

test('none is served before it is known which one is that of the bot token, and that one never for its row', async () => {
  const { served, refresh, processed, posters, nameOwn } = createStage({ own: new Promise(() => undefined) });
  served.start();
  await refresh(row('T1', 'allowed'), row('T2', 'allowed'));
  expect([processed(), posters(), served.teams()]).toEqual([[], [], []]);
  await nameOwn('T1');
  expect(processed().toSorted()).toEqual([['T1'], ['T2']]);
  await served.stop(0);
});

test('a bot token that Slack refuses is in the way of no other workspace', async () => {
  const { served, refresh, processed, refuseOwn } = createStage({ own: new Promise(() => undefined) });
  served.start();
  refuseOwn();
  await refresh(row('T1', 'allowed'));
  expect(processed()).toEqual([['T1']]);
  await served.stop(0);
});
