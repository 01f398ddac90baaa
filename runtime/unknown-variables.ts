import { editDistance } from '../contract/rules/edit-distance.ts';

/** Variables of other readers: the command line, `npm start`, Compose's own. */
const readElsewhere = [
  'ALFRED_TOKEN',
  'ALFRED_URL',
  'ALFRED_START_BEGUN_MS',
  'ALFRED_TEMPORAL_PORT',
  'ALFRED_TEMPORAL_UI_PORT',
  'ALFRED_POSTGRES_PORT',
  'ALFRED_KEYCLOAK_PORT',
  'ALFRED_POSTGRES_PASSWORD',
];

/** Tests set these for themselves. */
const testPrefix = 'ALFRED_TEST_';

/**
 * Kubernetes and Docker links give every container the addresses of services, one of which may be called alfred. Docker
 * adds the name and the variables of the linked container.
 */
const ofService = /_SERVICE_(HOST|PORT)(_|$)|_PORT_\d+_(TCP|UDP)(_|$)|^ALFRED_(NAME$|ENV_)/;
const serviceAddress = /^(tcp|udp|sctp):\/\//;

/** With more differences than this, a name is another name, and not a mistyped one; short names allow fewer. */
const mostMistakes = 3;
const mistakesIn = (name: string) => Math.min(mostMistakes, Math.floor((name.length - 'ALFRED_'.length) / 3));

type Variables = Record<string, string | undefined>;

/**
 * Finds variables that begin with `ALFRED_` and that Alfred does not know. One that is nearly a known name is mistyped,
 * and a setting that is ignored is found late. Others may be an operator's own, or of a later version.
 *
 * @param known every name that Alfred reads
 * @returns `mistyped`: a line about each; `others`: their names
 */
export function unknownVariables(environment: Variables, known: readonly string[]) {
  const names = [...known, ...readElsewhere];
  const found = Object.entries(environment)
    .filter(([name, value = '']) => name.startsWith('ALFRED_') && value !== '' && !isOfOthers(name, value))
    .filter(([name]) => !names.includes(name))
    .map(([name]) => ({ name, nearest: nearestOf(name, names) }));
  return {
    mistyped: found.flatMap(({ name, nearest }) =>
      nearest === undefined ? [] : [`  ${name} is not a variable of Alfred: did you mean ${nearest}?`],
    ),
    others: found.flatMap(({ name, nearest }) => (nearest === undefined ? [name] : [])),
  };
}

/**
 * Whether a variable has the address of a service and is no setting: for a service called alfred-api Kubernetes sets
 * ALFRED_API_PORT to `tcp://…`.
 */
export const isServiceAddress = (name: string, value = ''): boolean =>
  name.endsWith('_PORT') && serviceAddress.test(value);

const isOfOthers = (name: string, value: string) =>
  name.startsWith(testPrefix) || ofService.test(name) || isServiceAddress(name, value);

function nearestOf(name: string, names: readonly string[]): string | undefined {
  const near = names
    .map((known) => ({ known, mistakes: editDistance(name, known, mostMistakes) }))
    .sort((a, b) => a.mistakes - b.mistakes);
  return near[0] && near[0].mistakes <= mistakesIn(name) ? near[0].known : undefined;
}
