// Which rows of a long list are near the eye, and where the list must stand when rows come in above.

export interface Slice {
  first: number;
  last: number;
}

/** Rows to draw: those in view and a few beyond. `last` is exclusive. */
export function slice(scrollTop: number, height: number, rowHeight: number, total: number, beyond = 12): Slice {
  const first = Math.max(0, Math.floor(scrollTop / rowHeight) - beyond);
  const last = Math.min(total, Math.ceil((scrollTop + height) / rowHeight) + beyond);
  return { first: Math.min(first, last), last };
}

/** Where to scroll so that the row is in view, or the same place when it is. */
export function reveal(row: number, scrollTop: number, height: number, rowHeight: number): number {
  const top = row * rowHeight;
  if (top < scrollTop) return top;
  if (top + rowHeight > scrollTop + height) return top + rowHeight - height;
  return scrollTop;
}

/** Those whose id is new; their ids are known from then on. */
export function unknown<T extends { _id: string }>(incoming: readonly T[], known: Set<string>): T[] {
  return incoming.filter(({ _id }) => !known.has(_id) && known.add(_id));
}

/** Events that came in, oldest first, go on top, newest first; at most `cap` are kept. Says how many were let go at the bottom. */
export function prepend<T>(old: readonly T[], incoming: readonly T[], cap: number): { rows: T[]; dropped: number } {
  const rows = [...incoming].reverse().concat(old);
  return { rows: rows.slice(0, cap), dropped: Math.max(0, rows.length - cap) };
}
