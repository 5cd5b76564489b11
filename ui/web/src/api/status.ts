// `/api/status`: what the server says of itself. Shown as it comes, so that a newer server needs no newer console.

import type { Json } from '../lib/event';
import { get } from './client';

export type Status = { [name: string]: Json };

export function status(signal: AbortSignal): Promise<Status> {
  return get<Status>('/api/status', {}, signal);
}
