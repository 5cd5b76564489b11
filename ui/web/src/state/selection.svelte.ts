// The row the keyboard is on, and whether its detail is open. An open one is in the address.

import { event as fetchEvent } from '../api/events';
import { asApiError, isAbort, type ApiError } from '../api/client';
import type { LogEvent } from '../lib/event';
import { place } from './place.svelte';
import { results } from './results.svelte';

class Selection {
  id = $state<string | undefined>(undefined);
  /** The open event: the row itself, or fetched when the list does not hold it. */
  opened = $state.raw<LogEvent | undefined>(undefined);
  error = $state.raw<ApiError | undefined>(undefined);
  context = $state(false);
  #stop = new AbortController();

  get index(): number {
    return this.id === undefined ? -1 : results.events.findIndex((one) => one._id === this.id);
  }

  select(event: LogEvent): void {
    this.id = event._id;
    if (place.id !== undefined) this.open(event);
  }

  open(event: LogEvent): void {
    this.#stop.abort();
    this.error = undefined;
    this.id = event._id;
    this.opened = event;
    place.go({ id: event._id });
  }

  close(): void {
    this.#stop.abort();
    this.opened = undefined;
    this.error = undefined;
    this.context = false;
    place.go({ id: undefined });
  }

  move(step: 1 | -1): void {
    const last = results.events.length - 1;
    if (last < 0) return;
    const at = this.index;
    const next = at < 0 ? 0 : Math.min(last, Math.max(0, at + step));
    const event = results.events[next];
    if (event) this.select(event);
    if (next > last - 20) void results.more();
  }

  /** Follows the address: opens what it names, closes when it names nothing. */
  async follow(id: string | undefined): Promise<void> {
    if (id === undefined) {
      this.opened = undefined;
      return;
    }
    if (this.opened?._id === id) return;
    this.id = id;
    const row = results.events.find((one) => one._id === id);
    if (row) this.opened = row;
    else await this.#fetch(id);
  }

  async #fetch(id: string): Promise<void> {
    this.#stop.abort();
    this.#stop = new AbortController();
    try {
      this.opened = await fetchEvent(id, this.#stop.signal);
      this.error = undefined;
    } catch (error) {
      if (!isAbort(error)) this.error = asApiError(error);
    }
  }
}

export const selection = new Selection();
