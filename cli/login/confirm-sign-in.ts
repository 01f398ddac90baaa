import { createInterface } from 'node:readline/promises';
import type { DeviceSignIn } from '../../contract/sign-in-metadata.ts';
import { CliError, usageError } from '../cli-error.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { isThisMachine } from './provider.ts';
import type { StoredSignIn } from './sign-in-store.ts';

type Given = {
  url: string;
  device: DeviceSignIn;
  /** The sign-in there that is known. One of another kind is asked about as the first one is. */
  before: StoredSignIn | undefined;
  isConfirmed: boolean;
  signal: AbortSignal;
};

type Person = {
  input: NodeJS.ReadableStream & { isTTY?: boolean | undefined };
  output: NodeJS.WritableStream;
};

/**
 * Shows what an API asks for, and asks before its first sign-in: it chooses the provider, the client and the scope, and
 * gets the token that the person allows there.
 *
 * @throws CliError when the person does not agree, or cannot be asked
 */
export async function confirmSignIn(
  { url, device, before, isConfirmed, signal }: Given,
  terminal: Pick<Terminal, 'note'>,
  { input, output }: Person = { input: process.stdin, output: process.stderr },
): Promise<void> {
  terminal.note(`Signing in to Alfred at ${url}, with ${device.issuer}.`);
  terminal.note(`It asks for ${askedFor(device)}.`);
  const isKnown =
    before?.issuer === device.issuer &&
    before.clientId === device.client_id &&
    askedFor({ client_id: before.clientId, parameters: before.parameters }) === askedFor(device);
  if (isConfirmed || isKnown || isThisMachine(url)) return;
  if (!input.isTTY)
    throw usageError(
      `This would be the first such sign-in to Alfred at ${url}, and nothing here can ask you whether you trust it. Run the command in a terminal, or add --yes when the lines above are right.`,
    );
  const questions = createInterface({ input, output, terminal: false });
  const closed = new Promise<string>((resolve) => questions.once('close', () => setImmediate(resolve, '')));
  try {
    const question = `This is the first such sign-in there. ${url} gets a token that acts as you. Go on? [y/N] `;
    const answer = await Promise.race([questions.question(question, { signal }), closed]);
    if (!/^y(es)?$/i.test(answer.trim())) throw new CliError('The sign-in was not confirmed. Nothing was stored.');
  } finally {
    questions.close();
  }
}

const askedFor = ({ client_id: client, parameters }: Pick<DeviceSignIn, 'client_id' | 'parameters'>) =>
  [
    `the client ${client}`,
    ...Object.entries(parameters)
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([name, value]) => `the ${name} "${value}"`),
  ].join(', ');
