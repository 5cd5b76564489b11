// `/api/tail`: events as they come. Read with fetch, not EventSource, so that the token goes in a header.

import type { LogEvent } from '../lib/event';
import { SseParser } from '../lib/sse';
import { open } from './client';

export interface TailSink {
  connected(): void;
  events(events: LogEvent[]): void;
  /** The server let events go because this reader was slow. */
  lagged(lost: number): void;
}

/** Reads until the server ends it or the signal stops it. */
export async function tail(q: string, sink: TailSink, signal: AbortSignal): Promise<void> {
  const response = await open('/api/tail', { q }, signal, 'text/event-stream');
  if (response.body === null) return;
  sink.connected();
  const parser = new SseParser();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    deliver(parser.push(value), sink);
  }
}

function deliver(messages: ReturnType<SseParser['push']>, sink: TailSink): void {
  const found: LogEvent[] = [];
  for (const message of messages) {
    const data: unknown = parse(message.data);
    if (data === null || typeof data !== 'object') continue;
    if ('_id' in data) found.push(data as LogEvent);
    else sink.lagged(lostOf(data));
  }
  if (found.length > 0) sink.events(found);
}

function lostOf(data: object): number {
  const numbers = Object.values(data).filter((value): value is number => typeof value === 'number');
  return numbers[0] ?? 0;
}

function parse(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return null;
  }
}
