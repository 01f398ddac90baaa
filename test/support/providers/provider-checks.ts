import type { Script } from '../../../adapters/models/script.ts';
import { capabilityChecks } from './capability-checks.ts';
import type { Check } from './check.ts';
import { requestOf } from './collect-response.ts';
import { protocolChecks } from './protocol-checks.ts';

/** The step of each check in the script of the scripted provider. */
const steps = new Map([...protocolChecks, ...capabilityChecks].map((check, i) => [check, i + 1]));
export const checksScript: Script = { turns: [...steps.keys()].map(({ turn }) => ({ ...turn, tokensPerS: 20_000 })) };
export const requestFor = (check: Check, model: string) =>
  requestOf({ idempotencyKey: `checks/${steps.get(check)}`, ...check.request, model });
