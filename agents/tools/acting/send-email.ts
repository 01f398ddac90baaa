import { z } from 'zod';
import { AlfredError } from '../../../contract/errors.ts';
import { stableId } from './stable-id.ts';
import type { Mail, MailServer } from '../../../adapters/mail/smtp-transport.ts';
import { typedTool } from '../typed-tool.ts';

const addresses = z.array(z.email().max(254)).min(1).max(20);

const Input = z.strictObject({
  to: addresses.describe('Who gets it: plain addresses'),
  cc: addresses.optional().describe('Who gets a copy'),
  subject: z
    .string()
    .trim()
    .min(1)
    .max(300)
    .regex(/^\P{Cc}*$/u, 'expected one line'),
  text: z.string().trim().min(1).max(100_000).describe('The message, as plain text'),
  replyTo: z.email().max(254).optional().describe('Who gets the answers, if not the sender'),
});

/** @param options `from`: an address or `Name <address>`; `domains`: those that may be written to, empty: every one */
export const sendEmailTool = (server: MailServer, { from, domains }: { from: string; domains: readonly string[] }) =>
  typedTool({
    name: 'send_email',
    description:
      'Sends an email in plain text from the company’s address for agents. It cannot be taken back. Returns who was accepted and who was not.',
    effect: 'write',
    input: Input,
    check({ to, cc = [] }) {
      const strangers = [...to, ...cc].filter((address) => !domains.includes(domainOf(address)));
      if (domains.length > 0 && strangers.length > 0)
        throw new AlfredError(
          'destination_forbidden',
          `send_email may not write to ${strangers.join(', ')}; only to ${domains.join(', ')}.`,
        );
    },
    async run(input, context) {
      const mail: Mail = { ...input, from, messageId: `<${stableId(context.receiptKey)}@${domainOf(from)}>` };
      const { accepted, rejected } = await server.send(mail, {
        signal: context.signal,
        beforeSend: () => context.beforeSend(),
      });
      return {
        output: { accepted, rejected, messageId: mail.messageId },
        summary: summaryOf(accepted, rejected.length),
      };
    },
  });

function summaryOf(accepted: string[], rejected: number): string {
  const [first = '', ...more] = accepted;
  const others = more.length > 0 ? ` and ${more.length} more` : '';
  return `email sent to ${first}${others}${rejected > 0 ? `; ${rejected} not accepted` : ''}`;
}

const domainOf = (address: string) => (address.split('@').at(-1) ?? '').replace(/>$/, '').toLowerCase();
