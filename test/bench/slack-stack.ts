import { createFakeSlack } from '../../deploy/slack/fake/fake-slack.ts';
import { startSlack } from '../../slack/compose.ts';
import { startWorkers } from '../../workers/compose.ts';
import { until } from '../support/until.ts';
import type { Surroundings } from './servers.ts';
import { openStack } from './stack.ts';

export type FakeSlack = ReturnType<typeof createFakeSlack>;

/** Starts a fake Slack that refuses no call for its rate. @returns it, and the variables that lead Alfred there */
export async function startFakeSlack({ cleanups }: Pick<Surroundings, 'cleanups'>) {
  const slack = createFakeSlack({ rateLimits: false });
  await slack.start();
  cleanups.push(() => slack.stop());
  const variables = {
    SLACK_BOT_TOKEN: slack.workspace.botToken,
    SLACK_APP_TOKEN: slack.app.appToken,
    SLACK_API_URL: slack.apiUrl,
    SLACK_PORT: '0',
  };
  return { slack, variables };
}

export const socketsAreOpen = (slack: FakeSlack) =>
  until('the sockets are open', () => slack.connections().length === 2);

/** The servers, and workers and the Slack door in this process. @param variables of the configuration */
export async function startSlackStack(surroundings: Surroundings, variables: Record<string, string>) {
  const { slack, variables: ofSlack } = await startFakeSlack(surroundings);
  const stack = await openStack(surroundings, { ...ofSlack, ...variables });
  const { edge, adapters } = stack;
  void adapters.startListening();
  const workers = await startWorkers(edge, adapters);
  const door = await startSlack(edge, adapters);
  edge.readiness.markServing();
  surroundings.cleanups.push(async () => {
    await door.stop();
    await workers.stop();
  });
  await socketsAreOpen(slack);
  return { slack, ...stack };
}
