import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createClock, type SettableClock } from './clock.ts';
import { createDeliveries, type DeliveryKind, type Transport } from './deliveries.ts';
import { defaultEvents, defaultScopes } from './defaults.ts';
import { createEvents } from './events.ts';
import { createFaults } from './faults.ts';
import { createHttpTransport, type RequestUrls, sign } from './http-transport.ts';
import { createGestures } from './gestures.ts';
import { createPayloads } from './interaction-payloads.ts';
import { createInteractions } from './interactions.ts';
import { deliveryLimits } from './limits.ts';
import { createLookup } from './lookup.ts';
import { createPeople } from './people.ts';
import { createRateLimits } from './rate-limits.ts';
import { createSeen } from './seen.ts';
import { createHttpServer } from './server.ts';
import { createSocketMode } from './socket-mode.ts';
import { createState } from './state.ts';
import type { Args, Call, FileDownload } from './types.ts';
import { createViewInteractions } from './view-interactions.ts';
import { createWebApi } from './web-api.ts';
import { createWorld } from './world.ts';

export type FakeSlackOptions = {
  clock?: SettableClock;
  port?: number;
  host?: string;
  appName?: string;
  /** What the app subscribes to, as in its manifest. */
  events?: string[];
  /** The scopes of the bot's tokens. */
  scopes?: string[];
  /** Refuses calls beyond Slack's limits with 429. On unless a test is about something else. */
  rateLimits?: boolean;
  /** How many events Slack sends for one workspace in an hour. */
  eventsAnHour?: number;
};

/**
 * A Slack of its own in this process: the Web API, Socket Mode, signed deliveries by HTTP, and the people.
 *
 * It refuses what Slack documents as refused, with Slack's names for the errors, and records what a person sees.
 */
export function createFakeSlack(options: FakeSlackOptions = {}) {
  const { clock = createClock(), port = 0, host = '127.0.0.1', appName = 'Alfred' } = options;
  let address = '';
  let requestUrls: RequestUrls | undefined;
  let limited = options.rateLimits ?? true;
  const url = () => address;

  const state = createState({ clock, appName });
  state.app.events = new Set(options.events ?? defaultEvents);
  const socketMode = createSocketMode({ app: state.app, clock });
  const httpTransport = createHttpTransport({ app: state.app, clock, urls: () => requestUrls ?? noUrls() });
  const transport = (): Transport => (requestUrls ? httpTransport : socketMode.transport);
  const deliveries = createDeliveries({ clock, transport });
  const eventsAnHour = options.eventsAnHour ?? deliveryLimits.eventsAnHour;
  const events = createEvents({ state, deliveries, eventsAnHour, url });
  const calls: Call[] = [];
  const downloads: FileDownload[] = [];
  const faults = createFaults();
  const openSocket = () => socketMode.open(address.replace('http', 'ws'));
  const webApi = createWebApi({
    state,
    context: () => ({ state, events, url: address, openSocket }),
    faults,
    rateLimits: createRateLimits(clock, () => limited),
    calls,
  });
  const server = createHttpServer({ state, webApi, faults, downloads });
  socketMode.attach(server);
  const lookup = createLookup(state);
  const payloads = createPayloads({ state, deliveries, url });
  const world = createWorld({ state, events, lookup, scopes: options.scopes ?? defaultScopes });
  const workspace = world.addWorkspace({ name: 'Acme' });

  return {
    ...world,
    ...createSeen(state),
    ...createPeople({ state, events, lookup, url }),
    ...createGestures({ state, events, lookup }),
    ...createInteractions({ state, payloads, lookup, url }),
    ...createViewInteractions({ state, deliveries, payloads, lookup }),
    clock,
    app: state.app,
    /** The first workspace, where the app is installed. */
    workspace,
    calls,
    /** The downloads of files. */
    downloads,
    deliveries: deliveries.all,
    /** Resolves when every delivery is acknowledged or given up. */
    settled: deliveries.settled,
    /** Sends any payload, in the way Slack sends it. */
    deliver: (kind: DeliveryKind, payload: Args) =>
      deliveries.start(deliveryId(payload, state.nextId('x')), kind, payload),
    sign: (body: string, timestamp: number, secret = state.app.signingSecret) => sign(body, secret, timestamp),
    connections: socketMode.connections,
    faults: {
      ...faults,
      disconnectSockets: socketMode.disconnect,
      loseAcknowledgements: socketMode.loseAcknowledgements,
      setDeliveryCopies: deliveries.setCopies,
    },
    setRateLimits(on: boolean) {
      limited = on;
    },
    /** As when an address is entered in the app's settings: whether the app answers with the challenge. */
    verifyRequestUrl: async (): Promise<boolean> => {
      const challenge = state.nextId('challenge');
      const payload = { token: state.app.verificationToken, challenge, type: 'url_verification' };
      const { response } = await deliveries.start(challenge, 'verification', payload).first;
      return response?.['challenge'] === challenge || response?.['text'] === challenge;
    },
    /** Delivers to these addresses by HTTP instead of by Socket Mode. */
    useHttp(urls: string | RequestUrls | undefined) {
      requestUrls = typeof urls === 'string' ? { events: urls, interactive: urls, commands: urls } : urls;
    },
    get url() {
      return address;
    },
    /** For `clientOptions.slackApiUrl`. */
    get apiUrl() {
      return `${address}/api/`;
    },
    async start(): Promise<void> {
      server.listen(port, host);
      await once(server, 'listening');
      address = `http://${host}:${(server.address() as AddressInfo).port}`;
    },
    async stop(): Promise<void> {
      clock.clear();
      socketMode.stop();
      server.closeAllConnections();
      if (!server.listening) return;
      server.close();
      await once(server, 'close');
    },
  };
}

const deliveryId = (payload: Args, otherwise: string): string =>
  [payload['event_id'], payload['trigger_id']].find((id) => typeof id === 'string') ?? otherwise;

function noUrls(): never {
  throw new Error('The fake Slack has no address to deliver to.');
}
