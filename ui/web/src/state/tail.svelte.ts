// The live tail: connects, connects again when the line breaks, and says so.

import { asApiError, isAbort } from '../api/client';
import { tail, TailEnded, type TailSink } from '../api/tail';
import type { LogEvent } from '../lib/event';
import type { TailState } from '../lib/tail';

const RETRY_MS = 2000;

class Tail {
  state = $state<TailState>('off');
  problem = $state('');
  lost = $state(0);
  #after: string | undefined;
  #stop = new AbortController();

  /** Follows from the event of that id on, so that nothing is missed between a search and its tail. */
  start(q: string, after: string | undefined, onEvents: (events: LogEvent[]) => void): void {
    this.stop();
    this.#stop = new AbortController();
    this.lost = 0;
    this.#after = after;
    void this.#follow(q, onEvents, this.#stop.signal);
  }

  stop(): void {
    this.#stop.abort();
    this.state = 'off';
  }

  async #follow(q: string, onEvents: (events: LogEvent[]) => void, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.state = 'connecting';
      if (!(await this.#once(q, onEvents, signal))) return;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  #sink(onEvents: (events: LogEvent[]) => void): TailSink {
    return {
      connected: () => (this.state = 'live'),
      events: onEvents,
      reached: (id) => (this.#after = id),
      lagged: (missed) => (this.lost += missed),
    };
  }

  /** One connection. False when trying again is of no use. */
  async #once(q: string, onEvents: (events: LogEvent[]) => void, signal: AbortSignal): Promise<boolean> {
    try {
      await tail(q, this.#after, this.#sink(onEvents), signal);
      this.problem = 'The server ended the tail.';
    } catch (error) {
      if (isAbort(error) || signal.aborted) return false;
      if (error instanceof TailEnded) {
        this.problem = error.message;
        this.state = 'ended';
        return false;
      }
      const problem = asApiError(error);
      this.problem = problem.message;
      this.state = 'broken';
      return problem.status === 0 || problem.status === 429 || problem.status >= 500;
    }
    if (!signal.aborted) this.state = 'broken';
    return !signal.aborted;
  }
}

export const liveTail = new Tail();
