// One way to the server: the token, and errors as the server tells them (RFC 9457).

const TOKEN_KEY = 'locard.token';

/** What went wrong, for a person. */
export class ApiError extends Error {
  readonly status: number;
  /** UTF-16 range of the query at fault. */
  readonly span: { start: number; end: number } | undefined;
  readonly hint: string | undefined;
  /** A whole corrected query. */
  readonly fix: string | undefined;
  readonly retryAfter: number | undefined;

  constructor(status: number, message: string, problem: Problem = {}, retryAfter?: number) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.span = spanOf(problem.utf16_span);
    this.hint = problem.hint ?? undefined;
    this.fix = problem.fix ?? undefined;
    this.retryAfter = retryAfter;
  }
}

interface Problem {
  title?: string;
  detail?: string;
  hint?: string | null;
  fix?: string | null;
  utf16_span?: unknown;
}

/** A range may come as `[start, end]` or as `{start, end}`. */
function spanOf(value: unknown): { start: number; end: number } | undefined {
  const [start, end] = Array.isArray(value) ? value : Object.values((value ?? {}) as object);
  return typeof start === 'number' && typeof end === 'number' ? { start, end } : undefined;
}

export function token(): string {
  return sessionStorage.getItem(TOKEN_KEY) ?? '';
}

export function setToken(value: string): void {
  if (value === '') sessionStorage.removeItem(TOKEN_KEY);
  else sessionStorage.setItem(TOKEN_KEY, value);
}

/** Told when the server wants a token. */
let onUnauthorized = (): void => {};
export function whenUnauthorized(call: () => void): void {
  onUnauthorized = call;
}

export type Params = Record<string, string | number | undefined>;

export function address(path: string, params: Params = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined && value !== '') query.set(name, String(value));
  }
  const text = query.toString();
  return text === '' ? path : `${path}?${text}`;
}

/** The answer once its status is good; throws an `ApiError` else. */
export async function open(path: string, params: Params, signal: AbortSignal, accept: string): Promise<Response> {
  const headers: Record<string, string> = { accept };
  if (token() !== '') headers.authorization = `Bearer ${token()}`;
  const response = await reach(address(path, params), { headers, signal });
  if (response.ok) return response;
  if (response.status === 401) onUnauthorized();
  throw await problemOf(response);
}

export async function get<T>(path: string, params: Params, signal: AbortSignal): Promise<T> {
  const response = await open(path, params, signal, 'application/json');
  return (await response.json()) as T;
}

async function reach(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError(0, 'The server does not answer.', { hint: 'Is it running, and reachable from here?' });
  }
}

async function problemOf(response: Response): Promise<ApiError> {
  const problem = (await response.json().catch(() => ({}))) as Problem;
  const retry = Number(response.headers.get('retry-after') ?? NaN);
  const message = problem.detail ?? problem.title ?? `The server answered ${response.status}.`;
  return new ApiError(response.status, message, problem, Number.isNaN(retry) ? undefined : retry);
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

/** Any thrown thing as an `ApiError`. */
export function asApiError(error: unknown): ApiError {
  return error instanceof ApiError ? error : new ApiError(0, error instanceof Error ? error.message : String(error));
}
