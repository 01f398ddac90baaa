import { Readable } from 'node:stream';
import MailComposer from 'nodemailer/lib/mail-composer';
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import { AlfredError } from '../../contract/errors.ts';
import type { MailReceipt, MailTransport } from '../../contract/ports/index.ts';

type Options = {
  /** `smtp://user:password@host:port`, or `smtps://` for TLS from the start. */
  url: string;
  connectMs?: number;
  /**
   * Longest silence of the server, in milliseconds. Some servers scan a message for a long time before they accept it.
   */
  silenceMs?: number;
};

/** Longest part of a server's response that is passed on, in characters. */
const maxResponseLength = 300;
const loopbackHosts = ['localhost', '127.0.0.1', '[::1]'];

/**
 * Sends each mail over a connection of its own, so that mails do not wait for each other and a broken connection
 * affects one mail only.
 *
 * Uses nodemailer's SMTP connection instead of its transport: only the connection shows when the server begins to
 * receive the message, which decides between `tool_failed` and `effect_unknown`.
 */
export function createSmtpTransport({ url, connectMs = 15_000, silenceMs = 120_000 }: Options): MailTransport {
  const { protocol, hostname, port, username, password } = new URL(url);
  const auth = username ? { user: decodeURIComponent(username), pass: decodeURIComponent(password) } : undefined;
  const options = {
    host: hostname.replace(/^\[|\]$/g, ''),
    ...(port ? { port: Number(port) } : {}),
    secure: protocol === 'smtps:',
    // TLS is used wherever the server offers it. A password must never reach another machine without it.
    requireTLS: auth !== undefined && !loopbackHosts.includes(hostname),
    connectionTimeout: connectMs,
    greetingTimeout: connectMs,
    socketTimeout: silenceMs,
  };

  return {
    async send(mail, { signal, beforeSend }) {
      const message = new MailComposer({ ...mail, headers: { 'Auto-Submitted': 'auto-generated' } }).compile();
      const bytes = await message.build();
      const connection = new SMTPConnection(options);
      // The connection reads this stream only after the server has accepted sender and recipients.
      let isBodySent = false;
      const body = Readable.from(
        (function* () {
          isBodySent = true;
          yield bytes;
        })(),
      );
      const step = promisedSteps(connection, signal, (error) =>
        signal.aborted && !isBodySent ? signal.reason : toAlfredError(error as SmtpError, isBodySent),
      );
      try {
        await step<void>((done) => connection.connect(done));
        if (auth) await step<unknown>((done) => connection.login(auth, done));
        await beforeSend();
        const { accepted, rejectedErrors = [] } = await step<SendInfo>((done) =>
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

type SmtpError = Parameters<Parameters<SMTPConnection['login']>[1]>[0] & Error;
type SendInfo = Parameters<Parameters<SMTPConnection['send']>[2]>[1];
type Done<T> = (error?: Error | null, result?: T) => void;

/**
 * Turns the connection's callbacks into promises. A pending promise also rejects when the connection ends or `signal`
 * aborts.
 */
function promisedSteps(connection: SMTPConnection, signal: AbortSignal, mapError: (error: unknown) => unknown) {
  const failure = Promise.withResolvers<never>();
  // It may reject while no step is pending.
  failure.promise.catch(() => {});
  connection.on('error', failure.reject);
  // The callback of the pending step may follow at once with a better error: let it win.
  connection.once('end', () => setImmediate(() => failure.reject(new Error('the connection was closed'))));
  if (signal.aborted) failure.reject(signal.reason);
  signal.addEventListener('abort', () => failure.reject(signal.reason), { once: true });
  return <T>(run: (done: Done<T>) => void): Promise<T> => {
    const answer = Promise.withResolvers<T>();
    run((error, result) => (error ? answer.reject(error) : answer.resolve(result as T)));
    return Promise.race([failure.promise, answer.promise]).catch((error: unknown) => {
      throw mapError(error);
    });
  };
}

/**
 * Wait after a temporary refusal, in milliseconds. Greylisting servers accept a mail some minutes later; five attempts
 * cover eight minutes.
 */
const greylistMs = 2 * 60_000;

function toAlfredError(error: SmtpError, isBodySent: boolean): AlfredError {
  const { responseCode, permanent, response = '', code = '', originalCode = code } = error;
  if (responseCode !== undefined) {
    // Servers repeat addresses in their responses.
    const words = response.slice(0, maxResponseLength);
    const status = /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})/.exec(response)?.[1];
    const reply = status === undefined ? String(responseCode) : `${responseCode} ${status}`;
    return permanent
      ? new AlfredError('destination_refused', `The mail server refused it with ${reply}.`, {
          fullMessage: `The mail server refused it: ${words}`,
        })
      : new AlfredError('tool_failed', `The mail server answered ${reply}.`, {
          fullMessage: `The mail server answered: ${words}`,
          retryAfterMs: greylistMs,
        });
  }
  if (isBodySent)
    return new AlfredError('effect_unknown', 'The connection to the mail server broke while it had the mail.', {
      cause: error,
    });
  const why = originalCode === '' ? '' : ` (${originalCode})`;
  return new AlfredError('tool_failed', `The mail server could not be reached or broke off${why}.`, {
    cause: error,
  });
}

const rejectionOf = ({ recipient = '', response = '' }: SmtpError): MailReceipt['rejected'][number] => ({
  address: recipient,
  reason: response.slice(0, maxResponseLength),
});
