import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { wholeNumber } from '../../cli/commands/number-options.ts';
import { createLogger } from '../../runtime/logger.ts';
import { measureAddedFolder } from './added-folder.ts';
import { measureAudit } from './audit-log.ts';
import { cleanUpOnSignals, createCleanUp } from './clean-up.ts';
import { measureContacts } from './contacts.ts';
import { measureCounts } from './counts.ts';
import { measureDeletion } from './deletion.ts';
import { measureLongConversation } from './long-conversation.ts';
import { measureManyConversations } from './many-conversations.ts';
import { measureSearches } from './searches.ts';
import type { Cleanups } from './servers.ts';
import { measureSignIn } from './sign-in.ts';
import { measureSlackAcks } from './slack-acks.ts';
import { measureSlackRights } from './slack-rights.ts';
import { measureSlackStops } from './slack-stops.ts';
import { measureStoredAnswers } from './stored-answers.ts';
import { measureStreams } from './streams.ts';
import { measureTasks } from './tasks.ts';
import { measureThousandCalls } from './thousand-calls.ts';
import { measureWaitingTasks } from './waiting-tasks.ts';

const count = wholeNumber({ from: 1, like: 50 });
const bench = new Command('bench')
  .description('Measures Alfred on a stack of its own. Without an option: tasks, beside a bare Temporal workflow.')
  .option('--sequential <n>', 'tasks one after the other', count, 100)
  .option('--tasks <n>', 'tasks of a round', count, 500)
  .option('--concurrency <n>', 'tasks, or conversations, at once', count, 50)
  .option('--rounds <n>', 'rounds, of which the median counts', count, 3)
  .option('--streams <n>', 'streams at once, each of 100 pieces', count)
  .option('--thousand', 'one task of many model calls')
  .option('--calls <n>', 'model calls of --thousand', count, 1000)
  .option('--conversation <n>', 'messages of one conversation', count)
  .option('--conversations <n>', 'conversations of a message each', count)
  .option('--search <n>', 'documents among which is searched', count)
  .option('--files <n>', 'files of an added folder', count)
  .option('--contacts <n>', 'contacts of one upload', count)
  .option('--kills <n>', 'how often the worker of --contacts is killed', count)
  .option('--answers <n>', 'answers whose stored rows and bytes are counted', count)
  .option('--waiting <n>', 'waiting tasks that one round of the sweep compares', count)
  .option('--counts <n>', 'tasks whose statements, transactions and events are counted', count)
  .option('--sign-in <n>', 'requests with a sign-in and limits, and without', count)
  .option('--audit <n>', 'entries of the audit log that are written and verified', count)
  .option('--slack-acks <n>', 'messages in Slack that are acknowledged while Temporal stands still', count)
  .option('--slack-stops <n>', 'answers in Slack that are stopped', count)
  .option('--slack-rights <n>', 'questions in Slack about documents that the asker may not read', count)
  .option('--deletion', 'deletions and lists among many rows')
  .option('--rows <n>', 'tasks among which --deletion deletes', count, 200_000)
  .addHelpText('after', '\nWhat each measures, and what it showed: docs/reference/benchmarks.md')
  .parse();
const values = bench.opts<{
  sequential: number;
  tasks: number;
  concurrency: number;
  rounds: number;
  streams?: number;
  thousand?: true;
  calls: number;
  conversation?: number;
  conversations?: number;
  search?: number;
  files?: number;
  contacts?: number;
  kills?: number;
  answers?: number;
  waiting?: number;
  counts?: number;
  signIn?: number;
  audit?: number;
  slackAcks?: number;
  slackStops?: number;
  slackRights?: number;
  deletion?: true;
  rows: number;
}>();
const { concurrency } = values;

const dir = await mkdtemp(join(tmpdir(), 'alfred-bench-'));
const log = createLogger({ ALFRED_LOG_LEVEL: 'warn', ALFRED_LOG_FORMAT: 'pretty' }, 'bench');
const cleanups: Cleanups = [() => rm(dir, { recursive: true, force: true })];
const surroundings = { dir, log, cleanups };
const cleanUp = createCleanUp(cleanups, (error) => log.warn({ err: error }, 'something of the benchmark did not end'));
cleanUpOnSignals(cleanUp);
try {
  if (values.streams) await measureStreams({ count: values.streams, ...surroundings });
  else if (values.thousand) await measureThousandCalls({ calls: values.calls, ...surroundings });
  else if (values.conversation) await measureLongConversation({ messages: values.conversation, ...surroundings });
  else if (values.conversations)
    await measureManyConversations({ count: values.conversations, concurrency, ...surroundings });
  else if (values.deletion) await measureDeletion({ count: values.rows, ...surroundings });
  else if (values.audit) await measureAudit({ count: values.audit, ...surroundings });
  else if (values.files) await measureAddedFolder({ count: values.files, ...surroundings });
  else if (values.contacts)
    await measureContacts({ count: values.contacts, kills: values.kills ?? 0, ...surroundings });
  else if (values.answers) await measureStoredAnswers({ count: values.answers, ...surroundings });
  else if (values.waiting) await measureWaitingTasks({ count: values.waiting, ...surroundings });
  else if (values.counts) await measureCounts({ count: values.counts, ...surroundings });
  else if (values.signIn) await measureSignIn({ count: values.signIn, ...surroundings });
  else if (values.slackAcks) await measureSlackAcks({ count: values.slackAcks, ...surroundings });
  else if (values.slackStops) await measureSlackStops({ count: values.slackStops, ...surroundings });
  else if (values.slackRights) await measureSlackRights({ count: values.slackRights, ...surroundings });
  else if (values.search) await measureSearches({ count: values.search, ...surroundings });
  else
    await measureTasks({
      sequential: values.sequential,
      tasks: values.tasks,
      concurrency,
      rounds: values.rounds,
      ...surroundings,
    });
} finally {
  await cleanUp();
}
// 1 when a figure is beyond its limit.
process.exit();
