// The rows of a pipe's table: order, alignment and text of cells.

import { text, type Json } from './event';
import { count, date, timeOfDay, type Zone } from './format';
import type { Table } from './histogram';
import { oneLine } from './text';

const TEXTS = new Intl.Collator('en', { numeric: true });

/** A copy in the column's order; what is missing comes last either way. */
export function sortRows(rows: readonly Json[][], column: number, down: boolean): Json[][] {
  return [...rows].sort((a, b) => {
    const [x, y] = [a[column] ?? null, b[column] ?? null];
    if (x === null || y === null) return Number(x === null) - Number(y === null);
    const order = typeof x === 'number' && typeof y === 'number' ? x - y : TEXTS.compare(text(x), text(y));
    return down ? -order : order;
  });
}

/** Whether the column is one of numbers, which stand right. */
export function align(rows: readonly Json[][], column: number): boolean {
  const values = rows.slice(0, 100).map((row) => row[column] ?? null).filter((value) => value !== null);
  return values.length > 0 && values.every((value) => typeof value === 'number');
}

export function cell(value: Json | undefined, zone: Zone): string {
  if (value === null || value === undefined) return '–';
  if (typeof value === 'number') return count(value);
  if (typeof value === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value)) {
    const at = Date.parse(value);
    return `${date(at, zone)} ${timeOfDay(at, zone).replace(/\.000$/, '')}`;
  }
  return oneLine(text(value));
}

export function jsonLines(table: Table, most: number): string {
  return table.rows
    .slice(0, most)
    .map((row) => JSON.stringify(Object.fromEntries(table.columns.map((column, at) => [column, row[at] ?? null]))))
    .join('\n');
}
