import { Plan } from '../../../contract/delegation.ts';
import { typedTool } from '../typed-tool.ts';

/** Shows people how the agent means to go on. It changes nothing but what they see. */
export const setPlanTool = typedTool({
  name: 'set_plan',
  description:
    'Shows the person your plan, in order, and how far it is. Call it before work with several parts, and again when a part is done, has failed or is no longer needed; each call replaces the whole plan. Leave it out for a request with one part.',
  input: Plan,
  async run({ items }, { receiptKey }) {
    const [, step, callId] = /^[^/]*\/(\d+)\/(.*)$/s.exec(receiptKey) ?? [];
    const done = items.filter(({ status }) => status === 'done').length;
    return {
      output: { shown: true },
      summary: `${done} of ${items.length} done`,
      event: { type: 'plan.changed', data: { step: Number(step ?? 1), callId: callId ?? '', items } },
    };
  },
});
