import { readSecretFile } from './secret-file.ts';
import { sessionKeysIn } from './session-key-text.ts';

/** The variables as they are parsed. */
export type InstallVariables = {
  SLACK_CLIENT_ID?: string | undefined;
  SLACK_CLIENT_SECRET?: string | undefined;
  SLACK_CLIENT_SECRET_FILE?: string | undefined;
  SLACK_INSTALLATION_KEY: string[];
  SLACK_INSTALLATION_KEY_FILE?: string | undefined;
  SLACK_PUBLIC_URL?: string | undefined;
  ALFRED_PUBLIC_URL?: string | undefined;
  SLACK_LINK_BY_EMAIL?: readonly string[];
};

/** How other workspaces install Alfred. */
export type SlackInstallSettings = {
  clientId: string;
  clientSecret: string;
  /** Of the Slack door in browsers. */
  publicUrl: string;
  /** Alfred asks for the addresses of people. */
  linksByEmail: boolean;
};

/** @throws Error when a file has no secret */
export function slackInstallSettingsOf(variables: Partial<InstallVariables>): SlackInstallSettings | undefined {
  const { SLACK_CLIENT_ID: clientId, SLACK_CLIENT_SECRET: secret, SLACK_CLIENT_SECRET_FILE: file } = variables;
  if (clientId === undefined) return undefined;
  return {
    clientId,
    clientSecret:
      file === undefined
        ? (secret ?? '')
        : readSecretFile('SLACK_CLIENT_SECRET_FILE', file, 'the client secret of the Slack app').trim(),
    publicUrl: variables.SLACK_PUBLIC_URL ?? variables.ALFRED_PUBLIC_URL ?? '',
    linksByEmail: (variables.SLACK_LINK_BY_EMAIL?.length ?? 0) > 0,
  };
}

/** The keys as they were when they were first asked for. @throws Error when their file has none */
export function slackInstallationKeysOf(variables: InstallVariables): () => readonly string[] {
  const { SLACK_INSTALLATION_KEY: given, SLACK_INSTALLATION_KEY_FILE: file } = variables;
  let keys = file === undefined ? given : undefined;
  return () => (keys ??= readKeys(file ?? ''));
}

function readKeys(file: string): string[] {
  const variable = 'SLACK_INSTALLATION_KEY_FILE';
  const keys = sessionKeysIn(readSecretFile(variable, file, 'the output of `openssl rand -base64 32`'));
  if (keys) return keys;
  throw new Error(
    `${variable} names a file without keys: ${file} (expected 32 random bytes or more a line: openssl rand -base64 32).`,
  );
}

const secrets = ['SLACK_CLIENT_SECRET', 'SLACK_INSTALLATION_KEY'] as const;
type Secret = (typeof secrets)[number];
type Fault = {
  variable: 'SLACK_CLIENT_ID' | 'SLACK_PUBLIC_URL' | Secret | `${Secret}_FILE`;
  message: string;
};

const needed: Record<Secret, string> = {
  SLACK_CLIENT_SECRET: 'is needed with SLACK_CLIENT_ID: the "Client Secret" of the Slack app',
  SLACK_INSTALLATION_KEY:
    'is needed with SLACK_CLIENT_ID, to encrypt the tokens of installations: openssl rand -base64 32',
};

/** What is wrong with the variables together. */
export function slackInstallFaults(variables: InstallVariables): Fault[] {
  const has = (name: Secret) => (variables[name]?.length ?? 0) > 0;
  const hasFile = (name: Secret) => variables[`${name}_FILE`] !== undefined;
  const twice = secrets
    .filter((name) => has(name) && hasFile(name))
    .map((name): Fault => ({ variable: `${name}_FILE`, message: `expected without ${name}: one of the two counts` }));
  if (variables.SLACK_CLIENT_ID === undefined) {
    const alone = secrets.find((name) => has(name) || hasFile(name));
    const others = alone ?? (variables.SLACK_PUBLIC_URL === undefined ? undefined : 'SLACK_PUBLIC_URL');
    return others === undefined
      ? twice
      : [...twice, { variable: 'SLACK_CLIENT_ID', message: `is needed with ${others}` }];
  }
  const missing = secrets
    .filter((name) => !has(name) && !hasFile(name))
    .map((name): Fault => ({ variable: name, message: needed[name] }));
  const hasAddress = (variables.SLACK_PUBLIC_URL ?? variables.ALFRED_PUBLIC_URL) !== undefined;
  return [
    ...twice,
    ...missing,
    ...(hasAddress
      ? []
      : [
          {
            variable: 'SLACK_PUBLIC_URL' as const,
            message: 'is needed with SLACK_CLIENT_ID: the address to which browsers come back from Slack',
          },
        ]),
  ];
}
