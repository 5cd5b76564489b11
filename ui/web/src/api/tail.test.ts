import { afterEach, expect, it, vi } from 'vitest';
import type { LogEvent } from '../lib/event';
import { tail, TailEnded } from './tail';

afterEach(() => vi.unstubAllGlobals());

/** Follows a stream of these frames; answers what was handed on, and how it ended. */
async function follow(frames: string): Promise<{ events: LogEvent[]; missed: number; reached: string; ended: unknown }> {
  vi.stubGlobal('sessionStorage', { getItem: () => null });
  vi.stubGlobal('fetch', () => Promise.resolve(new Response(frames)));
  const got = { events: [] as LogEvent[], missed: 0, reached: '', ended: undefined as unknown };
  const sink = {
    connected: () => undefined,
    events: (events: LogEvent[]) => void got.events.push(...events),
    reached: (id: string) => void (got.reached = id),
    lagged: (missed: number) => void (got.missed += missed),
  };
  await tail('', undefined, sink, new AbortController().signal).catch((error: unknown) => (got.ended = error));
  return got;
}

it('hands on events and what was passed over', async () => {
  const got = await follow('id: 0-1\ndata: {"_id":"0-1"}\n\nevent: lag\ndata: {"missed":3}\n\n');
  expect(got).toEqual({ events: [{ _id: '0-1' }], missed: 3, reached: '0-1', ended: undefined });
});

it('knows where it is although nothing matched', async () => {
  expect(await follow('id: 0-3\n\nid: 0-9\n\n')).toEqual({ events: [], missed: 0, reached: '0-9', ended: undefined });
});

it('says why the server ends it, after what came before, and shows that as no event', async () => {
  const got = await follow('data: {"_id":"0-1"}\n\nevent: end\ndata: {"because":"the token has expired"}\n\n');
  expect(got.events).toEqual([{ _id: '0-1' }]);
  expect(got.ended).toBeInstanceOf(TailEnded);
  expect((got.ended as TailEnded).message).toBe('the token has expired');
});
