/** What a test file needs to reach the shared servers; global-setup hands it over in the environment. */
export type TestServers = {
  /** Temporary folder of the run. */
  dir: string;
  /** How many environments the run can make. */
  environments: number;
  databaseUrl: string;
  temporalAddress: string;
  /** The workflow code, bundled once for the run. */
  workflowBundle: string | undefined;
};

/** The migrated database that every environment's own is copied from. */
export const template = 'alfred_template';

export const namespaceOf = (number: number) => `t${number}`;

const variable = 'ALFRED_TEST_SERVERS';

/** Jest's workers inherit the environment of the process that ran global-setup. */
export const announceTestServers = (servers: TestServers) => {
  process.env[variable] = JSON.stringify(servers);
};

/** @throws when global-setup did not run */
export function readTestServers(): TestServers {
  const announced = process.env[variable];
  if (!announced)
    throw new Error(
      'The test servers are not running: start tests with `npm run jest -- <file>`, whose global setup starts them.',
    );
  return JSON.parse(announced) as TestServers;
}
