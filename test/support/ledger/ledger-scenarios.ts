import fc from 'fast-check';
import type { Purpose } from '../../../contract/ports/index.ts';
import type { Usage } from '../../../contract/references.ts';
import { usageOf } from './ledger-harness.ts';

export type ScenarioLimits = { usd?: number | undefined; tokens?: number | undefined; calls?: number | undefined };

/** What becomes of an attempt. One that vanishes may be heard of later. */
export type AttemptOutcome =
  'answers' | 'answers twice' | 'fails half-way' | 'fails twice' | 'is turned away' | 'vanishes';

export type Action =
  | { do: 'call'; task: number; purpose: Purpose; worst: Usage; used: Usage; fate: AttemptOutcome }
  | { do: 'hear of'; vanishedIndex: number; fate: Exclude<AttemptOutcome, 'vanishes'> }
  | { do: 'grant'; task: number; times: number }
  | { do: 'end'; task: number }
  | { do: 'reset'; task: number }
  | { do: 'write off' };

/** Tasks that share a day of their agent and of their tenant; the actions of one batch happen at once. */
export type Scenario = { tasks: ScenarioLimits[]; agent: ScenarioLimits; tenant: ScenarioLimits; batches: Action[][] };

/** In US dollars per million tokens; some make costs that binary fractions cannot hold. */
const prices = [0.0375, 0.15, 1.1, 3, 15, 75];

// Round numbers meet their limits exactly now and then.
const limitsArbitrary: fc.Arbitrary<ScenarioLimits> = fc.record(
  {
    usd: fc.integer({ min: 0, max: 40 }).map((n) => n / 200),
    tokens: fc.integer({ min: 0, max: 60 }).map((n) => n * 100),
    calls: fc.integer({ min: 1, max: 10 }),
  },
  { requiredKeys: [] },
);

const task = fc.nat(2);

const call: fc.Arbitrary<Action> = fc
  .record({
    task,
    summary: fc.nat(4).map((n) => n === 0),
    price: fc.constantFrom(...prices),
    input: fc.nat(10).map((n) => n * 100),
    output: fc.nat(10).map((n) => n * 50),
    tenths: fc.nat(10),
    fate: fc.constantFrom<AttemptOutcome>(
      ...(['answers', 'answers', 'answers twice', 'fails half-way', 'fails half-way', 'fails twice'] as const),
      ...(['is turned away', 'vanishes', 'vanishes', 'vanishes'] as const),
    ),
  })
  .map(({ task: index, summary, price, input, output, tenths, fate }) => {
    const cost = (tokensIn: number, tokensOut: number) =>
      usageOf(tokensIn, tokensOut, (tokensIn * price * 0.2 + tokensOut * price) / 1_000_000);
    const worst = cost(input, output);
    const used = fate === 'is turned away' ? cost(0, 0) : cost((input * tenths) / 10, (output * tenths) / 10);
    return { do: 'call', task: index, purpose: summary ? 'summary' : 'turn', worst, used, fate };
  });

const lateReport: fc.Arbitrary<Action> = fc.record({
  do: fc.constant('hear of' as const),
  vanishedIndex: fc.nat(5),
  fate: fc.constantFrom(
    'answers' as const,
    'answers twice' as const,
    'fails half-way' as const,
    'fails twice' as const,
  ),
});

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 12, arbitrary: call },
  { weight: 3, arbitrary: lateReport },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('grant' as const), task, times: fc.constantFrom(0.5, 1.5, 3) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('end' as const, 'reset' as const, 'reset' as const), task }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'write off' as const }) },
);

export const scenarios: fc.Arbitrary<Scenario> = fc.record({
  tasks: fc.array(limitsArbitrary, { minLength: 1, maxLength: 3 }),
  agent: limitsArbitrary,
  tenant: limitsArbitrary,
  batches: fc.array(fc.array(action, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 5 }),
});
