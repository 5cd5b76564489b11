// Where the console is: the address bar and this object say the same, in both directions.

import type { Range } from '../lib/range';
import { isNewPlace, readPlace, writePlace, type Page, type Place, type View } from '../lib/url';

class PlaceState {
  page = $state<Page>('search');
  q = $state('');
  range = $state.raw<Range>({ start: '', end: '' });
  id = $state<string | undefined>(undefined);
  tail = $state(false);
  view = $state<View>('lines');
  /** Counts runs, so that the same query can be asked again. */
  runs = $state(0);

  constructor() {
    this.#take(readPlace(location.pathname, location.search));
    addEventListener('popstate', () => this.#take(readPlace(location.pathname, location.search)));
  }

  get now(): Place {
    const { page, q, range, id, tail, view } = this;
    return { page, q, range, id, tail, view };
  }

  go(change: Partial<Place>): void {
    const before = this.now;
    this.#take({ ...before, ...change });
    const address = writePlace(this.now);
    if (isNewPlace(before, this.now)) history.pushState(null, '', address);
    else history.replaceState(null, '', address);
  }

  /** Asks the query, again if it is the same. */
  run(q: string): void {
    if (q.trim() === this.q) this.runs++;
    else this.go({ q: q.trim() });
  }

  /** The address of one event, for sharing. */
  link(id: string): string {
    return location.origin + writePlace({ ...this.now, id, tail: false });
  }

  #take(place: Place): void {
    Object.assign(this, place);
  }
}

export const place = new PlaceState();
