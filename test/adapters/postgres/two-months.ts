import { firstIdAt } from '../../../adapters/postgres/tasks/task-reads.ts';

/** Two months of the generated rows. */
export const parted = `
  alter table task_events detach partition task_events_first;
  drop table task_events_first;
  create table task_events_2023_11 partition of task_events
    for values from ('${firstIdAt(Date.UTC(2023, 10))}') to ('${firstIdAt(Date.UTC(2023, 11))}');
  create table task_events_2023_12 partition of task_events
    for values from ('${firstIdAt(Date.UTC(2023, 11))}') to ('${firstIdAt(Date.UTC(2024, 0))}');`;
