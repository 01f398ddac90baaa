import { z } from 'zod';
import { slashCommand } from '../../../slack/commands/command-list.ts';
import { askAboutShortcutId } from '../../../slack/rendering/actions.ts';
import type { Interaction } from '../fake/interaction-payloads.ts';
import type { Trial } from './trial.ts';

const id = z.string().min(1).max(100);
const place = { channel: id, thread: id.optional() };
const press = { actionId: z.string().max(255), choice: z.string().max(2_000).optional() };

/** What a person does on the page. */
const Act = z.discriminatedUnion('do', [
  z.object({ do: z.literal('write'), as: id, ...place, text: z.string().min(1).max(20_000) }),
  z.object({ do: z.literal('press'), as: id, channel: id, ts: id, ...press }),
  z.object({ do: z.literal('ask-about'), as: id, channel: id, ts: id }),
  z.object({ do: z.literal('press-home'), as: id, ...press }),
  z.object({ do: z.literal('press-modal'), as: id, ...press }),
  z.object({
    do: z.literal('submit'),
    as: id,
    values: z.record(z.string().max(255), z.union([z.string(), z.array(z.string())])),
  }),
  z.object({ do: z.literal('close'), as: id }),
  z.object({ do: z.literal('open'), as: id, tab: z.enum(['home', 'messages']) }),
  z.object({ do: z.literal('stop'), as: id, channel: id, thread: id }),
  z.object({
    do: z.literal('attach'),
    as: id,
    ...place,
    text: z.string().max(20_000),
    /** `content` as base64. */
    files: z
      .array(z.object({ name: z.string().min(1).max(255), content: z.string() }))
      .min(1)
      .max(10),
  }),
]);

/**
 * Does in the fake Slack what a person did on the page.
 *
 * @returns what Slack would say to the person; undefined where it says nothing
 * @throws Error when a person could not do that in Slack
 */
export function createAct({ slack, people }: Trial) {
  /** `@Alfred` and `@ben` as Slack stores them. */
  const withMentions = (text: string): string =>
    text.replaceAll(/(?<![\p{L}\p{N}])@([\p{L}\p{N}_-]+)/gu, (typed, name: string) => {
      const isApp = name.toLowerCase() === slack.app.name.toLowerCase();
      const found = isApp ? slack.workspace.botUserId : people.find((person) => person.name === name.toLowerCase())?.id;
      return found === undefined ? typed : `<@${found}>`;
    });

  return async (value: unknown): Promise<string | undefined> => {
    const act = Act.parse(value);
    switch (act.do) {
      case 'write': {
        const command = /^(\/\S+)\s*([\s\S]*)$/.exec(act.text);
        if (command && act.thread !== undefined) return 'Slack has no commands in threads.';
        if (command && command[1] !== slashCommand) return `${command[1]} is no command here: ${slashCommand} is.`;
        if (command)
          return resultOf(await slack.command(act.as, act.channel, slashCommand, withMentions(command[2] ?? '')));
        slack.say(act.as, act.channel, withMentions(act.text), act.thread);
        return undefined;
      }
      case 'press':
        return resultOf(await slack.press(act.as, act, act.actionId, act.choice));
      case 'ask-about':
        return resultOf(await slack.messageShortcut(act.as, act, askAboutShortcutId));
      case 'press-home':
        return resultOf(await slack.pressInHome(act.as, act.actionId, act.choice));
      case 'press-modal':
        return resultOf(await slack.pressInModal(act.as, act.actionId, act.choice));
      case 'submit':
        return resultOf(await slack.submit(act.as, act.values));
      case 'close':
        await slack.close(act.as);
        return undefined;
      case 'open':
        slack.openApp(act.as, act.tab);
        return undefined;
      case 'stop':
        slack.stopTask(act.as, act.channel, act.thread);
        return undefined;
      case 'attach': {
        const files = act.files.map(({ name, content }) => ({ name, content: Buffer.from(content, 'base64') }));
        const thread = act.thread === undefined ? {} : { thread: act.thread };
        slack.upload(act.as, act.channel, files, { text: withMentions(act.text), ...thread });
        return undefined;
      }
    }
  };
}

const resultOf = ({ acknowledged, errors }: Interaction): string | undefined =>
  acknowledged ? Object.values(errors).join(' ') || undefined : 'Alfred did not answer in three seconds.';
