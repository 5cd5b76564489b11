// `/api/tail`: events as they come. Read with fetch, not EventSource, so that the token goes in a header.

import type { LogEvent } from '../lib/event';
import { SseParser, type Message } from '../lib/sse';
import { open } from './client';

export interface TailSink {
  connected(): void;
  events(events: LogEvent[]): void;
  /** What matches up to the event of that id has been handed on: to be named when coming back. */
  reached(id: string): void;
  /** The server passed over events because this reader was slow or long away. */
  lagged(missed: number): void;
}

/** The server will not go on with this tail, and says why. Asking again is of no use. */
export class TailEnded extends Error {}

/** Reads until the server ends it or the signal stops it. Begins after the event of that id, or now. */
export async function tail(q: string, after: string | undefined, sink: TailSink, signal: AbortSignal): Promise<void> {
  const response = await open('/api/tail', { q, after }, signal, 'text/event-stream');
  if (response.body === null) return;
  sink.connected();
  const parser = new SseParser();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const ended = deliver(parser.push(value), sink);
    if (ended !== undefined) throw new TailEnded(ended);
  }
}

/** Hands the messages on. Answers why the server ends the tail, if it does. */
function deliver(messages: Message[], sink: TailSink): string | undefined {
  const events: LogEvent[] = [];
  let ended: string | undefined;
  for (const { event, data } of messages) {
    if (data === '') continue;
    if (event === 'lag') sink.lagged((JSON.parse(data) as { missed: number }).missed);
    else if (event === 'end') ended = (JSON.parse(data) as { because: string }).because;
    else events.push(JSON.parse(data) as LogEvent);
  }
  if (events.length > 0) sink.events(events);
  const reached = messages.at(-1)?.id ?? '';
  if (reached !== '') sink.reached(reached);
  return ended;
}
