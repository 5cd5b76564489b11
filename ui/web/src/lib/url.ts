// The console's state as an address, so that a link shows another person the same thing.

import { DEFAULT, type Range } from './range';

export type Page = 'search' | 'status';
export type View = 'lines' | 'table' | 'json';

export interface Place {
  page: Page;
  q: string;
  range: Range;
  /** The event that is open. */
  id: string | undefined;
  tail: boolean;
  view: View;
}

const VIEWS: readonly View[] = ['lines', 'table', 'json'];

export function readPlace(path: string, search: string): Place {
  const params = new URLSearchParams(search);
  const view = params.get('view') as View | null;
  return {
    page: path.replace(/\/+$/, '') === '/status' ? 'status' : 'search',
    q: params.get('q') ?? '',
    range: readRange(params),
    id: params.get('id') || undefined,
    tail: params.get('tail') === '1',
    view: view !== null && VIEWS.includes(view) ? view : 'lines',
  };
}

/** Neither end given is the default range; "everything" is written `start=all`. A lone event needs no range. */
function readRange(params: URLSearchParams): Range {
  const [start, end] = [params.get('start'), params.get('end')];
  if (start === 'all') return { start: '', end: end ?? '' };
  if (start === null && end === null) return DEFAULT;
  return { start: start ?? '', end: end ?? '' };
}

export function writePlace(place: Place): string {
  if (place.page === 'status') return '/status';
  const params = new URLSearchParams();
  if (place.q !== '') params.set('q', place.q);
  const isDefault = place.range.start === DEFAULT.start && place.range.end === DEFAULT.end;
  if (!isDefault) params.set('start', place.range.start === '' ? 'all' : place.range.start);
  if (place.range.end !== '') params.set('end', place.range.end);
  if (place.view !== 'lines') params.set('view', place.view);
  if (place.tail) params.set('tail', '1');
  if (place.id !== undefined) params.set('id', place.id);
  const text = params.toString();
  return text === '' ? '/' : `/?${text}`;
}

/** Whether a step from one place to the other deserves a place in the browser's history. */
export function isNewPlace(from: Place, to: Place): boolean {
  const key = (place: Place): string => JSON.stringify([place.page, place.q, place.range.start, place.range.end]);
  return key(from) !== key(to);
}
