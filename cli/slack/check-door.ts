import { Readiness } from '../../contract/health.ts';
import { parseJson } from '../../contract/json.ts';
import type { Config } from '../../runtime/config.ts';
import { ok, unknown, wrong, type Finding } from './finding.ts';

const timeoutMs = 10_000;

type DoorConfig = Pick<Config, 'SLACK_HOST' | 'SLACK_PORT'>;

/** Where the Slack door answers on this machine. */
export function doorUrl({ SLACK_HOST: host, SLACK_PORT: port }: DoorConfig): string {
  const near = { '0.0.0.0': '127.0.0.1', '::': '::1' }[host] ?? host;
  return `http://${near.includes(':') ? `[${near}]` : near}:${port}`;
}

/** What the health of the Slack door is; undefined when none answers. */
export async function readDoor(config: DoorConfig): Promise<Readiness | undefined> {
  try {
    const response = await fetch(`${doorUrl(config)}/healthz`, { signal: AbortSignal.timeout(timeoutMs) });
    const { dependencies, status } = Readiness.partial({ dependencies: true }).parse(parseJson(await response.text()));
    return { status, dependencies: dependencies ?? {} };
  } catch {
    return undefined;
  }
}

/** Whether the Slack door runs, and what it says about itself. */
export async function checkDoor(config: DoorConfig): Promise<Finding[]> {
  const url = doorUrl(config);
  if (config.SLACK_PORT === 0) return [unknown('door', 'SLACK_PORT=0 does not say where the Slack door is')];
  const state = await readDoor(config);
  if (state === undefined)
    return [
      wrong(
        'door',
        `no Slack door answers at ${url}`,
        'Start Alfred with both tokens (`npm start`, or `node slack/start.mjs`), and read what it prints. Check SLACK_HOST and SLACK_PORT.',
      ),
    ];
  const states = Object.entries(state.dependencies);
  if (states.length > 0 && !Object.hasOwn(state.dependencies, 'slack'))
    return [wrong('door', `what answers at ${url} is no Slack door`, 'Set SLACK_PORT to the port that Alfred prints.')];
  const faults = states.filter(([, { status }]) => status !== 'ok');
  if (faults.length === 0)
    return state.status === 'ready'
      ? [ok('door', `it is ready at ${url}`)]
      : [wrong('door', `it is ${state.status} at ${url}`, 'Wait until it has started. If it stays so, read its log.')];
  return faults.map(([name, { detail }]) =>
    wrong('door', `at ${url} it says about ${name}: ${detail ?? 'down'}`, 'Do what it says, or read its log.'),
  );
}
