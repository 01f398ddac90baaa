import { firstIdAt } from '../tasks/task-reads.ts';

/** A part of a table: the rows of task ids from `from` on, and before `to`. Undefined: without an end. */
export type Partition = { name: string; from: string | undefined; to: string | undefined };
type Month = { name: string; from: string; to: string };

/** Months after this one that have a partition before they begin. The sweep may stand still for as long. */
const monthsAhead = 2;
/** Past months whose partitions stay when they are empty: a task may begin weeks after its id was made. */
const monthsKept = 1;

/** Reads the bounds of a partition as Postgres prints them. @returns undefined for the default partition */
export function parsePartition(name: string, bounds: string): Partition | undefined {
  const found = /^FOR VALUES FROM \((.+)\) TO \((.+)\)$/.exec(bounds);
  if (!found) return undefined;
  const idOf = (text: string | undefined) => /^'(.+)'$/.exec(text ?? '')?.[1];
  return { name, from: idOf(found[1]), to: idOf(found[2]) };
}

/**
 * Compares the partitions of a table with those that it should have.
 *
 * @param table the names of partitions begin with it
 * @param now   in milliseconds
 * @returns `missing`: from this month on, none has ids of these; `past`: to be dropped when they are empty
 */
export function comparePartitions(
  table: string,
  partitions: Partition[],
  now: number,
): { missing: Month[]; past: Partition[] } {
  const present = firstIdAt(monthStart(now, -monthsKept));
  const months = Array.from({ length: monthsAhead + 1 }, (_, ahead) => monthOf(table, now, ahead));
  return {
    missing: months.filter((month) => !partitions.some((partition) => overlap(partition, month))),
    past: partitions.filter(({ to }) => to !== undefined && to <= present),
  };
}

const overlap = (a: Partition, b: Partition) => isBefore(a.from, b.to) && isBefore(b.from, a.to);
const isBefore = (from: string | undefined, to: string | undefined) =>
  from === undefined || to === undefined || from < to;

function monthOf(table: string, now: number, ahead: number): Month {
  const start = monthStart(now, ahead);
  const name = `${table}_${new Date(start).toISOString().slice(0, 7).replace('-', '_')}`;
  return { name, from: firstIdAt(start), to: firstIdAt(monthStart(now, ahead + 1)) };
}

/** When a month begins in UTC, in milliseconds. @param offset months after the one of `now` */
function monthStart(now: number, offset: number): number {
  const date = new Date(now);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + offset, 1);
}
