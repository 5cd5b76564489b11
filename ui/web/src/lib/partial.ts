// Whether an answer is all there is. Every answer of the server says so, and no part of the page may show a part for the whole.

export interface Coverage {
  complete: boolean;
  incomplete_because: string | null;
}

/** Why something is missing; empty when nothing is. */
export function lackOf({ complete, incomplete_because }: Coverage): string {
  return complete ? '' : (incomplete_because ?? 'the server does not say why');
}

/** What can be said of two answers together: the first reason counts. */
export function together(one: Coverage, two: Coverage): Coverage {
  const lack = lackOf(one) || lackOf(two);
  return { complete: lack === '', incomplete_because: lack === '' ? null : lack };
}
