import { appManifest, botEvents, botScopes } from '../../../slack/app-manifest.ts';
import { createFakeSlack } from '../fake/fake-slack.ts';

export type Trial = ReturnType<typeof createTrial>;

/** A fake Slack with a small workspace, where the app is installed as `deploy/slack/manifest.yaml` says. */
export function createTrial() {
  const slack = createFakeSlack({
    appName: appManifest.display_information.name,
    events: botEvents,
    scopes: botScopes,
  });
  const ada = slack.addUser({ name: 'ada', realName: 'Ada Lovelace', admin: true });
  const ben = slack.addUser({ name: 'ben', realName: 'Ben Okafor' });
  const people = [ada, ben];
  const channels = [
    slack.addChannel({ name: 'general', members: people }),
    slack.addChannel({ name: 'finance', kind: 'private', members: [ada] }),
    ...people.map((person) => slack.directMessage(person)),
  ];
  return { slack, people, channels };
}
