// What buttons and keys do to the query. Each changes the address; the search follows from that.

import { exclude, exists, include, type Scalar } from '../lib/filter';
import { shift, type Range } from '../lib/range';
import { place } from './place.svelte';
import { session } from './session.svelte';

export function includeValue(field: string, value: Scalar): void {
  place.go({ q: include(place.q, field, value) });
}

export function excludeValue(field: string, value: Scalar): void {
  place.go({ q: exclude(place.q, field, value) });
}

export function requireField(field: string): void {
  place.go({ q: exists(place.q, field) });
}

/** Another range ends a tail: a tail is always about now. */
export function setRange(range: Range): void {
  place.go({ range, tail: false });
}

export function shiftRange(direction: -1 | 1): void {
  const next = shift(place.range, direction, Date.now());
  if (next === place.range) session.say('There is nothing that way.');
  else setRange(next);
}

export function toggleTail(): void {
  const end = place.tail ? place.range.end : '';
  place.go({ tail: !place.tail, range: { ...place.range, end }, view: 'lines' });
}

export async function copy(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    session.say(`${what} copied`);
  } catch {
    session.say('The browser does not allow copying here.');
  }
}
