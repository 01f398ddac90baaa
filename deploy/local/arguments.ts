import { parseArgs } from 'node:util';
import { StepFailure } from './step-failure.ts';

export type Arguments = { help: boolean; fresh: boolean; yes: boolean; keycloak: boolean; model?: string };

export const usage = `npm start [-- options]      starts Alfred with its own Temporal and Postgres on this machine

  --model <provider:model>   who answers, like ollama:qwen3:8b; the same as ALFRED_MODEL
  --keycloak                 also start Keycloak, with three demo users: everybody signs in; needs Java 17 or newer
  --fresh                    delete all local data (.alfred/) first, after asking
  --yes                      do not ask
  --help                     this text

Ports: ALFRED_API_PORT (8080), ALFRED_TEMPORAL_PORT (7233), ALFRED_TEMPORAL_UI_PORT (8233), ALFRED_POSTGRES_PORT (5433),
ALFRED_KEYCLOAK_PORT (8180), SLACK_PORT (8011).
One that is set is never moved; the others move to the next free port.
DATABASE_URL or TEMPORAL_ADDRESS, when set, take the place of the Postgres or Temporal that is started.
ANTHROPIC_API_KEY lets Claude answer, OPENAI_API_KEY or OPENAI_BASE_URL with ALFRED_MODEL another model.
SLACK_BOT_TOKEN with SLACK_APP_TOKEN brings Alfred into Slack.
A file .env here may hold variables; those of the shell come first.
ollama:, lmstudio:, llamacpp: and vllm: are model servers on this machine: docs/how-to/choose-a-model.md. All variables: ./alfred config
`;

/** @throws StepFailure that names the unknown option */
export function readArguments(args: readonly string[]): Arguments {
  const flag = { type: 'boolean', default: false } as const;
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        help: { ...flag, short: 'h' },
        fresh: flag,
        yes: { ...flag, short: 'y' },
        keycloak: flag,
        model: { type: 'string' },
      },
    });
    if (values.yes && !values.fresh)
      throw new Error('--yes answers the question of --fresh and means nothing without it');
    return values;
  } catch (error) {
    const reason = (error as Error).message.split('. To specify')[0] ?? '';
    throw new StepFailure(`npm start does not understand its options: ${reason}.`, [
      'npm start -- --help lists them; note the -- before the first one',
    ]);
  }
}
