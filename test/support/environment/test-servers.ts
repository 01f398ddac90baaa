/** How a test file reaches the shared servers. `global-setup` passes it on in an environment variable. */
export type TestServers = {
  /** The temporary folder of the run. */
  dir: string;
  /** How many test environments the run can create. */
  environments: number;
  databaseUrl: string;
  temporalAddress: string;
  /** The workflow code, bundled once for the run. */
  workflowBundle: string | undefined;
};

/** A migrated database. Each test environment's database is a copy of it. */
export const template = 'alfred_template';

export const namespaceOf = (number: number) => `t${number}`;

const variable = 'ALFRED_TEST_SERVERS';

/** Jest's workers inherit the environment variables of the process that ran `global-setup`. */
export const announceTestServers = (servers: TestServers) => {
  process.env[variable] = JSON.stringify(servers);
};

/** @throws when `global-setup` did not run */
export function readTestServers(): TestServers {
  const announced = process.env[variable];
  if (!announced)
    throw new Error(
      'The test servers are not running: start tests with `npm run jest -- <file>`, whose global setup starts them.',
    );
  return JSON.parse(announced) as TestServers;
}
