import { validate as isUuid } from 'uuid';
import { AlfredError } from '../../contract/errors.ts';
import type { Audit, Control, ConversationRows, SlackPosts, Tasks, TaskRow } from '../../contract/ports/index.ts';
import type { Principal } from '../../contract/principal.ts';
import type { Reach } from '../../contract/references.ts';
import { reachOf, type Action } from '../../contract/rules/policy.ts';
import { isEnded } from '../../contract/task-status.ts';
import { createRecord } from '../acting/person.ts';
import type { PersonLink } from '../asking/link-of-person.ts';
import type { SlackMessage } from '../rendering/slack-message.ts';
import { taskLine, taskLines, type TaskAddress } from './describe-task.ts';
import { code, linesMessage } from './lines-message.ts';

export type TaskCommandDeps = {
  tasks: Pick<Tasks, 'list' | 'get'>;
  control: { tasks: Pick<Control['tasks'], 'read' | 'cancel'> };
  conversations: Pick<ConversationRows, 'findComingTask'>;
  posts: Pick<SlackPosts, 'findByTask'>;
  audit: Pick<Audit, 'check' | 'note' | 'record'>;
  addressOf: TaskAddress;
};

/** Who asks: the principal, and the person in Slack behind it. */
export type CommandSender = { principal: Principal; link?: PersonLink | undefined; team: string; userId: string };

const newest = 10;

/** Commands about tasks. */
export function createTaskCommands({ tasks, control, conversations, posts, audit, addressOf }: TaskCommandDeps) {
  /**
   * How far a person reaches to a task: to its own, to those that its roles allow, and to what it has asked itself in a
   * channel, where Alfred acts for the channel.
   */
  async function reachTo({ principal, team, userId }: CommandSender, action: Action, id: string): Promise<Reach> {
    const reach = reachOf(principal, action, 'task');
    if (reach.of === 'tenant' || (await tasks.get(reach, id))) return reach;
    const post = await posts.findByTask(id);
    const isOfSender = post?.team === team && post.userId === userId;
    return isOfSender ? { tenant: post.tenant, subject: post.subject } : reach;
  }

  async function find(sender: CommandSender, id: string): Promise<TaskRow | undefined> {
    const reach = await reachTo(sender, 'see', id);
    return (await control.tasks.read(reach, id)) ?? (await conversations.findComingTask(reach, id));
  }

  return {
    async list({ principal: { tenant, subject } }: CommandSender): Promise<SlackMessage> {
      const page = await tasks.list({ tenant, subject }, { limit: newest });
      if (page.tasks.length === 0) return linesMessage('You have asked me nothing yet in direct messages.', []);
      const lines = page.tasks.map((task) => taskLine(task, addressOf));
      return linesMessage('*Your newest tasks*', lines, [
        'What was asked in a channel belongs to the channel.',
        `${code('/alfred status <id>')} shows more of one.`,
      ]);
    },

    async status(sender: CommandSender, id: string): Promise<SlackMessage> {
      if (!isUuid(id)) return noId('status', id);
      const task = await find(sender, id);
      return task ? linesMessage('*The task*', taskLines(task, addressOf)) : noTask(id);
    },

    /** A repeat changes nothing. */
    async cancel(sender: CommandSender, id: string): Promise<SlackMessage> {
      if (!isUuid(id)) return noId('cancel', id);
      audit.check();
      const record = createRecord({ audit }, 'cancelTask', id);
      const reach = await reachTo(sender, 'cancel', id);
      const task = await control.tasks.cancel(reach, id, {
        reason: 'A person asked for it in Slack.',
        by: sender.principal.subject,
      });
      if (!task) {
        const coming = await conversations.findComingTask(reach, id);
        if (!coming) record.refused(sender.principal, new AlfredError('not_found'));
        return notBegun(id, coming);
      }
      await record.done(sender.principal);
      return isEnded(task.status)
        ? linesMessage(`The task has ended before: it is ${task.status}.`, [taskLine(task, addressOf)])
        : linesMessage('The task is being cancelled. Its message says when it has ended.', [taskLine(task, addressOf)]);
    },
  };
}

const noId = (command: string, given: string) =>
  linesMessage(
    given === ''
      ? `Write the id of a task behind it: ${code(`/alfred ${command} <id>`)}. \`/alfred tasks\` lists yours.`
      : `${code(given.slice(0, 50))} is no id of a task. \`/alfred tasks\` lists yours with their ids.`,
    [],
  );

/** The same words whether it is missing or another person's. */
const noTask = (id: string) =>
  linesMessage(`There is no task \`${id.toLowerCase()}\` of yours. \`/alfred tasks\` lists them.`, []);

function notBegun(id: string, coming: TaskRow | undefined): SlackMessage {
  if (coming === undefined) return noTask(id);
  return isEnded(coming.status)
    ? linesMessage('The task has ended before.', [])
    : linesMessage('The task waits for its turn, and cannot be cancelled before. Cancel it when it has begun.', []);
}
