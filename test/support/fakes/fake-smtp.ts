import { buffer } from 'node:stream/consumers';
import type { AddressInfo, Socket } from 'node:net';
import { SMTPServer, type SMTPServerSession } from 'smtp-server';

export type SmtpFault =
  /** Sends no greeting. */
  | 'silent'
  /** Receives the message and sends nothing more. */
  | 'silent after the message'
  /** Breaks the connection after it has received the message. */
  | 'cut after the message'
  /** Breaks the connection before it accepts a recipient. */
  | 'cut at the recipient'
  /** Refuses the message with this status. */
  | { message: number }
  /** Refuses these recipients with this status. */
  | { recipients: string[]; status: number };

export type FakeMail = { from: string; to: string[]; raw: string; user: string | undefined };

/** A mail server on loopback. It accepts only the user `alfred` with the password `hunter2`, and keeps all mails. */
export async function createFakeSmtp() {
  const mails: FakeMail[] = [];
  const sockets = new Set<Socket>();
  let messagesSeen = 0;
  let fault: SmtpFault | undefined;
  const cut = () => sockets.forEach((socket) => socket.destroy());
  const refusal = (responseCode: number) => Object.assign(new Error('as the test wants it'), { responseCode });

  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    logger: false,
    onConnect: (_session, done) => void (fault === 'silent' || done()),
    onAuth({ username, password }, _session, done) {
      if (username === 'alfred' && password === 'hunter2') done(null, { user: username });
      else done(refusal(535));
    },
    onRcptTo({ address }, _session, done) {
      if (fault === 'cut at the recipient') cut();
      else if (typeof fault === 'object' && 'recipients' in fault && fault.recipients.includes(address))
        done(refusal(fault.status));
      else done();
    },
    onData(stream, session, done) {
      void buffer(stream).then((bytes) => {
        messagesSeen++;
        if (fault === 'cut after the message') return cut();
        if (fault === 'silent after the message') return;
        if (typeof fault === 'object' && 'message' in fault) return done(refusal(fault.message));
        mails.push(mailOf(session, bytes.toString()));
        done();
      });
    },
  });
  server.on('error', () => {});
  server.server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.server.address() as AddressInfo;

  return {
    url: `smtp://alfred:hunter2@127.0.0.1:${port}`,
    port,
    mails,
    connections: () => sockets.size,
    /** The number of messages received in full since the last `failWith`, also those that were then refused. */
    messagesSeen: () => messagesSeen,
    failWith(next: SmtpFault | undefined) {
      fault = next;
      messagesSeen = 0;
    },
    async close() {
      cut();
      await new Promise<void>((resolve) => server.close(resolve));
    },
  };
}

const mailOf = ({ envelope, user }: SMTPServerSession, raw: string): FakeMail => ({
  from: envelope.mailFrom ? envelope.mailFrom.address : '',
  to: envelope.rcptTo.map(({ address }) => address),
  raw,
  user: user as string | undefined,
});
