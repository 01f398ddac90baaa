import { entryArguments } from '../runtime/entry-arguments.ts';
import { runMain } from '../runtime/main.ts';
import { runSlack } from './compose.ts';

const usage = `node slack/start.mjs      runs the Slack door in a process of its own

  --help              this text

It needs SLACK_BOT_TOKEN, SLACK_APP_TOKEN or SLACK_SIGNING_SECRET, DATABASE_URL and TEMPORAL_ADDRESS.
All variables: docs/reference/configuration.md
`;

entryArguments(usage, {});
await runMain(runSlack);
