import { editDistance } from '../contract/rules/edit-distance.ts';

/** Variables of other readers: the command line, `npm start`, Compose's own. */
const readElsewhere = [
  'ALFRED_URL',
  'ALFRED_START_BEGUN_MS',
  'ALFRED_TEMPORAL_PORT',
  'ALFRED_TEMPORAL_UI_PORT',
  'ALFRED_POSTGRES_PORT',
  'ALFRED_POSTGRES_PASSWORD',
];

/** Tests set these for themselves. */
const testPrefix = 'ALFRED_TEST_';

/** Kubernetes and Docker links give every container the addresses of services: one may be called alfred. */
const ofService = /_SERVICE_(HOST|PORT)(_|$)|_PORT_\d+_(TCP|UDP)(_|$)/;
const serviceAddress = /^(tcp|udp):\/\//;

/** With more differences than this, a name is another name, and not a mistyped one; short names allow fewer. */
const mostMistakes = 3;
const mistakesIn = (name: string) => Math.min(mostMistakes, Math.floor((name.length - 'ALFRED_'.length) / 3));

/**
 * Lines about variables that begin with `ALFRED_` and are nearly one that Alfred knows: mistyped, and a setting that is
 * ignored is found late. Other names are left alone: they may be an operator's own, or of a later version.
 *
 * @param known every name that Alfred reads
 */
export function unknownVariables(environment: Record<string, string | undefined>, known: readonly string[]): string[] {
  const names = [...known, ...readElsewhere];
  return Object.entries(environment)
    .filter(([name, value = '']) => name.startsWith('ALFRED_') && value !== '' && !isOfOthers(name, value))
    .filter(([name]) => !names.includes(name))
    .flatMap(([name]) => {
      const nearest = nearestOf(name, names);
      return nearest === undefined ? [] : [`  ${name} is not a variable of Alfred: did you mean ${nearest}?`];
    });
}

const isOfOthers = (name: string, value: string) =>
  name.startsWith(testPrefix) || ofService.test(name) || serviceAddress.test(value);

function nearestOf(name: string, names: readonly string[]): string | undefined {
  const near = names
    .map((known) => ({ known, mistakes: editDistance(name, known, mostMistakes) }))
    .sort((a, b) => a.mistakes - b.mistakes);
  return near[0] && near[0].mistakes <= mistakesIn(name) ? near[0].known : undefined;
}
