import { Readable } from 'node:stream';
import MailComposer from 'nodemailer/lib/mail-composer';
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import { AlfredError } from '../../contract/errors.ts';

export type Mail = {
  from: string;
  to: string[];
  cc?: string[] | undefined;
  replyTo?: string | undefined;
  subject: string;
  text: string;
  /** In angle brackets. */
  messageId: string;
};
export type Sent = { accepted: string[]; rejected: { address: string; reason: string }[] };

type Options = {
  /** smtp://user:password@host:port, or smtps:// for TLS from the start. */
  url: string;
  connectMs?: number;
  /** Silence after which the connection is given up. Some servers look long into a message before they take it. */
  silenceMs?: number;
};

/** Characters of what the server says that are passed on. */
const saidLimit = 300;
const thisMachine = ['localhost', '127.0.0.1', '[::1]'];

/** One connection a mail, so that nothing of one waits for or breaks with another. */
export function createMailServer({ url, connectMs = 15_000, silenceMs = 120_000 }: Options) {
  const { protocol, hostname, port, username, password } = new URL(url);
  const auth = username ? { user: decodeURIComponent(username), pass: decodeURIComponent(password) } : undefined;
  const options = {
    host: hostname.replace(/^\[|\]$/g, ''),
    ...(port ? { port: Number(port) } : {}),
    secure: protocol === 'smtps:',
    // Encrypted wherever the server can; a password never goes to another machine without.
    requireTLS: auth !== undefined && !thisMachine.includes(hostname),
    connectionTimeout: connectMs,
    greetingTimeout: connectMs,
    socketTimeout: silenceMs,
  };

  return {
    /**
     * Connects and signs in, runs `leaving`, sends.
     *
     * @throws AlfredError `tool_failed`, `destination_refused`: the mail was not sent;
     *   `effect_unknown`: the connection broke while the server had it
     */
    async send(mail: Mail, { signal, leaving }: { signal: AbortSignal; leaving: () => Promise<void> }): Promise<Sent> {
      const message = new MailComposer({ ...mail, headers: { 'Auto-Submitted': 'auto-generated' } }).compile();
      const bytes = await message.build();
      const connection = new SMTPConnection(options);
      // Read only once the server has accepted sender and recipients and waits for the message.
      let isOnItsWay = false;
      const body = Readable.from(
        (function* () {
          isOnItsWay = true;
          yield bytes;
        })(),
      );
      const step = steps(connection, signal, (error) =>
        signal.aborted && !isOnItsWay ? signal.reason : failureOf(error as SmtpError, isOnItsWay),
      );
      try {
        await step<void>((done) => connection.connect(done));
        if (auth) await step<unknown>((done) => connection.login(auth, done));
        await leaving();
        const { accepted, rejectedErrors = [] } = await step<SentInfo>((done) =>
          connection.send(message.getEnvelope(), body, done),
        );
        connection.quit();
        return { accepted, rejected: rejectedErrors.map(rejectionOf) };
      } finally {
        connection.close();
      }
    },
  };
}
export type MailServer = ReturnType<typeof createMailServer>;

type SmtpError = Parameters<Parameters<SMTPConnection['login']>[1]>[0] & Error;
type SentInfo = Parameters<Parameters<SMTPConnection['send']>[2]>[1];
type Done<T> = (error?: Error | null, result?: T) => void;

/** Turns the connection's callbacks into promises that also end when the connection does, or on abort. */
function steps(connection: SMTPConnection, signal: AbortSignal, explain: (error: unknown) => unknown) {
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => {});
  connection.on('error', failure.reject);
  // A callback that knows more about the end comes right behind it.
  connection.once('end', () => setImmediate(() => failure.reject(new Error('the connection was closed'))));
  if (signal.aborted) failure.reject(signal.reason);
  signal.addEventListener('abort', () => failure.reject(signal.reason), { once: true });
  return <T>(run: (done: Done<T>) => void): Promise<T> => {
    const answer = Promise.withResolvers<T>();
    run((error, result) => (error ? answer.reject(error) : answer.resolve(result as T)));
    return Promise.race([failure.promise, answer.promise]).catch((error: unknown) => {
      throw explain(error);
    });
  };
}

/** A server that greylists takes a mail minutes later; five attempts take eight, in milliseconds. */
const greylistMs = 2 * 60_000;

function failureOf(error: SmtpError, isOnItsWay: boolean): AlfredError {
  const { responseCode, permanent, response = '', code = '', originalCode = code } = error;
  if (responseCode !== undefined)
    return permanent
      ? new AlfredError('destination_refused', `The mail server refused it: ${response.slice(0, saidLimit)}`)
      : new AlfredError('tool_failed', `The mail server answered: ${response.slice(0, saidLimit)}`, {
          retryAfterMs: greylistMs,
        });
  if (isOnItsWay)
    return new AlfredError('effect_unknown', 'The connection to the mail server broke while it had the mail.', {
      cause: error,
    });
  const why = originalCode === '' ? '' : ` (${originalCode})`;
  return new AlfredError('tool_failed', `The mail server could not be reached or broke off${why}.`, {
    cause: error,
  });
}

const rejectionOf = ({ recipient = '', response = '' }: SmtpError) => ({
  address: recipient,
  reason: response.slice(0, saidLimit),
});
