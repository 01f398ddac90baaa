import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { hasSlack } from '../../../runtime/slack-settings.ts';
import { createPortClaims, type PortClaims } from './port-claims.ts';
import { choosePort } from './ports.ts';
import { defaultPorts, type PortVariable, type Settings } from '../settings.ts';

export type StackPorts = Partial<Record<PortVariable, number>>;

const services: Record<PortVariable, string> = {
  ALFRED_API_PORT: 'the API',
  ALFRED_TEMPORAL_PORT: 'Temporal',
  ALFRED_TEMPORAL_UI_PORT: 'the Temporal UI',
  ALFRED_POSTGRES_PORT: 'Postgres',
  ALFRED_KEYCLOAK_PORT: 'Keycloak',
  SLACK_PORT: 'the Slack door',
};

const Ports = z.partialRecord(
  z.enum(Object.keys(defaultPorts) as [PortVariable, ...PortVariable[]]),
  z.number().int().min(1).max(65_535),
);

/**
 * Chooses the ports of all services that this stack starts.
 *
 * @returns the ports; `moved`, notes about those that are not the default ones; the claims, to be released at the end;
 *   and `remember`, which saves the choice for the next start
 */
export async function chooseStackPorts({
  config,
  dataDir,
  explicit,
  external,
  keycloak,
}: Settings): Promise<{ ports: StackPorts; moved: string[]; claims: PortClaims; remember: () => void }> {
  const file = join(dataDir, 'ports.json');
  const last = readPorts(file);
  const claims = createPortClaims();
  const ports: StackPorts = {};
  const moved: string[] = [];
  try {
    for (const variable of Object.keys(defaultPorts) as PortVariable[]) {
      if (!keycloak && variable === 'ALFRED_KEYCLOAK_PORT') continue;
      if (!hasSlack(config) && variable === 'SLACK_PORT') continue;
      if (external.postgres && variable === 'ALFRED_POSTGRES_PORT') continue;
      if (external.temporal && variable.startsWith('ALFRED_TEMPORAL')) continue;
      const usual = defaultPorts[variable];
      const port = await choosePort(
        { service: services[variable], variable, explicit: explicit[variable], last: last[variable], usual },
        claims,
      );
      ports[variable] = port;
      if (port !== (explicit[variable] ?? usual))
        moved.push(
          `${services[variable]} is on port ${port}${last[variable] === port ? ', as in the last run' : `: ${usual} is taken`}`,
        );
    }
  } catch (error) {
    claims.release();
    throw error;
  }
  return { ports, moved, claims, remember: () => writeFileSync(file, `${JSON.stringify({ ...last, ...ports })}\n`) };
}

function readPorts(file: string): StackPorts {
  try {
    return Ports.safeParse(JSON.parse(readFileSync(file, 'utf8'))).data ?? {};
  } catch {
    return {};
  }
}
