import { z } from 'zod';
import { AlfredError } from '../../../contract/errors.ts';
import type { Mail, MailTransport } from '../../../contract/ports/index.ts';
import { externalCallId, typedTool } from '../typed-tool.ts';

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

type Options = {
  /** Sender: an address or `Name <address>`. */
  from: string;
  /** Domains that may be written to. Empty: all. */
  domains: readonly string[];
};

export const sendEmailTool = (transport: MailTransport, { from, domains }: Options) =>
  typedTool({
    name: 'send_email',
    description:
      'Sends an email in plain text from the company’s address for agents. It cannot be taken back. Returns who was accepted and who was not.',
    effect: 'write',
    input: Input,
    check({ to, cc = [] }) {
      const forbidden = [...to, ...cc].filter((address) => !domains.includes(domainOf(address)));
      if (domains.length > 0 && forbidden.length > 0)
        throw new AlfredError(
          'destination_forbidden',
          `send_email may not write to ${forbidden.length} of these addresses; only to ${domains.join(', ')}.`,
          { fullMessage: `send_email may not write to ${forbidden.join(', ')}; only to ${domains.join(', ')}.` },
        );
    },
    async run(input, context) {
      const mail: Mail = { ...input, from, messageId: `<${externalCallId(context.receiptKey)}@${domainOf(from)}>` };
      const { accepted, rejected } = await transport.send(mail, {
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
