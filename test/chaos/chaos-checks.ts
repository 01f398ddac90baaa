import type { Pool } from '../../runtime/database/postgres.ts';
import type { Task } from '../../contract/task.ts';
import { firstSerial, type ServedResponse } from '../support/providers/counting-provider.ts';
import { findInconsistencies } from '../support/ledger/ledger-invariants.ts';

/** What was seen outside of Alfred. */
export type Observed = {
  /** By task id, as the API gave them at the end. */
  tasks: Map<string, Task | undefined>;
  /** The text of each task, by its id. */
  texts: Map<string, string>;
  responses: readonly ServedResponse[];
  bookings: readonly string[];
  /** How often each task calls the model, and how often it books. */
  steps: number;
  bookingsOfTask: number;
};

export type Finding = { what: string; expected: string; seen: string; isRight: boolean };

type Sums = { completed: number; wasted: number; others: number; attempts: number };

/** Compares what the provider, the receiver and the clients saw with the ledger and the rows. */
export async function checkChaos(pool: Pool, observed: Observed): Promise<Finding[]> {
  const { tasks, texts, responses, bookings, steps, bookingsOfTask } = observed;
  const ids = [...texts.keys()];
  const right = ids.filter((id) => isRight(tasks.get(id), texts.get(id) ?? ''));
  // A receipt key begins with the id of its task.
  const bookedBy = Map.groupBy(new Set(bookings), (key) => key.split('/')[0]);
  const { rows: calls } = await pool.query<{ task_id: string; step: number; outcome: string; serial: number }>(
    `select task_id, step, outcome, input_tokens::int as serial from model_calls`,
  );
  const sums: Sums = {
    completed: calls.filter(({ outcome }) => outcome === 'completed').length,
    wasted: calls.filter(({ outcome }) => outcome === 'wasted').length,
    others: calls.filter(({ outcome }) => outcome !== 'completed' && outcome !== 'wasted').length,
    attempts: calls.length,
  };
  const serials = calls.flatMap(({ outcome, serial }) =>
    outcome === 'completed' || outcome === 'wasted' ? [serial] : [],
  );
  const broken = serials.filter((serial) => !responses[serial - firstSerial]?.isComplete).length;
  const idOf = new Map([...texts].map(([id, text]) => [text, id]));
  const unbooked = excess(
    responses.map(({ task, step }) => `${idOf.get(task) ?? task}/${step}`),
    calls.map(({ task_id, step }) => `${task_id}/${step}`),
  );
  const budgets = await pool.query<{ id: string }>('select distinct unnest(budgets) as id from model_calls');
  const inconsistent = await findInconsistencies(
    pool,
    'local',
    budgets.rows.map(({ id }) => id),
  );
  const count = (what: string, seen: number, expected: number): Finding => ({
    what,
    expected: String(expected),
    seen: String(seen),
    isRight: seen === expected,
  });
  return [
    count('tasks that ended right', right.length, ids.length),
    count('bookings at the receiver', bookings.length, ids.length * bookingsOfTask),
    count('bookings made twice', bookings.length - new Set(bookings).size, 0),
    count(
      'tasks with another number of bookings',
      ids.filter((id) => bookedBy.get(id)?.length !== bookingsOfTask).length,
      0,
    ),
    count('answers paid and used', sums.completed, ids.length * steps),
    count('answers charged twice', serials.length - new Set(serials).size, 0),
    count('answers charged that the provider never sent to the end', broken, 0),
    count('requests at the provider without a row in the ledger', unbooked, 0),
    count('sums of tasks and budgets that differ from the ledger', inconsistent.length, 0),
    {
      what: 'requests at the provider = paid + booked as waste',
      expected: `${responses.length} of at most ${sums.attempts} attempts`,
      seen: `${sums.completed} + ${sums.wasted} answers that came twice + ${sums.others} attempts that were broken off`,
      isRight: responses.length <= sums.attempts,
    },
  ];
}

const isRight = (task: Task | undefined, text: string): boolean =>
  task?.status === 'completed' && (task.result as { text?: string } | null)?.text === `The answer to ${text}.`;

/** How many of `items` have no partner in `partners`, where each partner serves one. */
function excess(items: string[], partners: string[]): number {
  const free = new Map<string, number>();
  for (const partner of partners) free.set(partner, (free.get(partner) ?? 0) + 1);
  return items.filter((item) => {
    const left = free.get(item) ?? 0;
    free.set(item, left - 1);
    return left <= 0;
  }).length;
}
