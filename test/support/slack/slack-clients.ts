import { webApi } from '@slack/bolt';
import { SocketModeClient } from '@slack/socket-mode';
import { createFakeSlack, type FakeSlackOptions } from '../../../deploy/slack/fake/fake-slack.ts';

/** What arrives as JSON, to be compared with what is expected. */
export type Body = ReturnType<typeof JSON.parse>;

/** What a listener of Slack's own Socket Mode client gets. */
export type Received = {
  type: string;
  body: Body;
  retryNum: number | undefined;
  retryReason: string | undefined;
  ack: (response?: Record<string, unknown>) => Promise<void>;
};

const ignore = () => undefined;

/** What is refused here is what a test expects. */
export const silent: webApi.Logger = {
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
  setLevel: ignore,
  setName: ignore,
  getLevel: () => webApi.LogLevel.ERROR,
};

/** A fake Slack, with Slack's own clients on it. */
export async function startFakeWithClients(options: FakeSlackOptions = {}) {
  const slack = createFakeSlack(options);
  await slack.start();
  const sockets: SocketModeClient[] = [];
  const client = (token = slack.workspace.botToken): webApi.WebClient =>
    new webApi.WebClient(token, {
      slackApiUrl: slack.apiUrl,
      rejectRateLimitedCalls: true,
      retryConfig: { retries: 0 },
      logger: silent,
    });
  const ada = slack.addUser({ name: 'ada' });
  const general = slack.addChannel({ name: 'general', members: [ada] });

  return {
    slack,
    client: client(),
    clientWith: client,
    /** A person, in a public channel with the app. */
    ada,
    general,
    /** Opens a Socket Mode connection. Without a listener, what arrives is acknowledged and kept in `received`. */
    async connect(listener: (received: Received) => Promise<void> = ({ ack }) => ack()) {
      const socket = new SocketModeClient({
        appToken: slack.app.appToken,
        clientOptions: { slackApiUrl: slack.apiUrl },
        clientPingTimeout: 500,
        logger: silent,
      });
      const received: Received[] = [];
      socket.on('slack_event', (event: Body) => {
        const { type, body, retry_num: retryNum, retry_reason: retryReason, ack } = event;
        received.push({ type, body, retryNum, retryReason, ack });
        void listener({ type, body, retryNum, retryReason, ack });
      });
      sockets.push(socket);
      await socket.start();
      return { socket, received };
    },
    async stop() {
      await Promise.all(sockets.map((socket) => socket.disconnect()));
      await slack.stop();
    },
  };
}

export type FakeWithClients = Awaited<ReturnType<typeof startFakeWithClients>>;

/** The name that Slack gives an error, or `ok`. A refused burst is `ratelimited` with the seconds to wait. */
export async function outcomeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'ok';
  } catch (error) {
    const { data, retryAfter, statusCode } = error as {
      data?: { error?: string };
      retryAfter?: number;
      statusCode?: number;
    };
    if (retryAfter !== undefined) return `ratelimited ${retryAfter}`;
    return data?.error ?? (statusCode === undefined ? String(error) : `http ${statusCode}`);
  }
}
