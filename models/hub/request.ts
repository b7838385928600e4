/** Requests to the Hub: tried again where that may help, refused in words where not, the token shown to nobody else. */
import type { HubName } from './name.ts'
import type { HubSettings } from './setting.ts'

/** Why something was not fetched, in one sentence; caught where a model is asked for. */
export class Refusal extends Error {
  /** Whether nobody has answered, so that the cache may do. */
  readonly unreachable: boolean

  constructor(sentence: string, unreachable = false) {
    super(sentence)
    this.unreachable = unreachable
  }
}

/** For how long a server's wish to be left alone is granted. */
const longestPause = 60_000

/** A listing of files may have so many bytes. */
const largestAnswer = 64 * 2 ** 20

/** Waits, unless the download is ended. */
export const pause = async (milliseconds: number, signal: AbortSignal | undefined): Promise<void> => {
  const { setTimeout: wait } = await import('node:timers/promises')
  try {
    await wait(milliseconds, undefined, signal === undefined ? {} : { signal })
  } catch {
    throw new Refusal('the download was ended')
  }
}

/** How long a server asks to be left alone; undefined where it does not say. */
const askedPause = (response: Response): number | undefined => {
  const value = response.headers.get('retry-after')
  if (value === null || value.trim() === '') return undefined
  const milliseconds = /^\d+$/.test(value.trim()) ? 1000 * Number(value) : Date.parse(value) - Date.now()
  return Number.isNaN(milliseconds) ? undefined : Math.max(0, milliseconds)
}

/** What an answer other than a file says, in words. */
const complaint = (
  { repo, revision }: HubName,
  { endpoint, token }: HubSettings,
  { status, headers }: Response,
): string => {
  const code = headers.get('x-error-code')
  if (code === 'GatedRepo' || (status === 403 && code === null))
    return `${repo} is gated: accept its conditions at ${endpoint}/${repo}, and name a token that may read it (HF_TOKEN)`
  if (code === 'RevisionNotFound') return `${repo} has no revision ${revision}`
  if (code === 'EntryNotFound') return `${repo} lacks a file that it lists`
  if (status === 401 || status === 404)
    return token === undefined
      ? `${endpoint} has no model ${repo}, or keeps it private: that takes a token (HF_TOKEN)`
      : `${endpoint} has no model ${repo}, or none that the token (HF_TOKEN) may read`
  if (status === 429) return `${endpoint} is asked too often (429); try again later`
  return `${endpoint} ${status >= 500 ? 'fails' : 'refuses'} (${status}) at ${repo}`
}

/** What there is no use in trying again: nobody is there. */
const isNobody = (error: unknown): boolean => {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof Error && 'code' in cause && /^(ENOTFOUND|ECONNREFUSED)$/.test(String(cause.code))
}

const reason = (error: unknown): string => {
  const cause = error instanceof Error ? (error.cause ?? error) : error
  return cause instanceof Error ? cause.message || cause.name : String(cause)
}

/** The signal that ends a request: the user's, or its own, for answers that do not come. */
export const either = (own: AbortSignal, users: AbortSignal | undefined): AbortSignal =>
  users === undefined ? own : AbortSignal.any([own, users])

/** The chunks of a body, none of which may take longer than there is time. */
export const chunksOf = async function* (
  response: Response,
  timeout: number,
  stop: (reason: Error) => void,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  if (response.body === null) return
  const reader = response.body.getReader()
  try {
    for (;;) {
      const timer = setTimeout(() => stop(new Error('no more comes')), timeout)
      const { done, value } = await reader.read().finally(() => clearTimeout(timer))
      if (done) return
      yield value
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}

type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>

/** One try: the answer's head within the time that there is. */
const once = async (
  settings: HubSettings,
  input: string | URL | Request,
  init: RequestInit,
): Promise<Response> => {
  const own = new AbortController()
  const timer = setTimeout(() => own.abort(new Error('no answer')), settings.timeout)
  const headers = new Headers(init.headers)
  headers.delete('authorization')
  const url = new URL(input instanceof Request ? input.url : input)
  if (settings.token !== undefined && url.origin === new URL(settings.endpoint).origin)
    headers.set('authorization', `Bearer ${settings.token}`)
  try {
    // What is redirected to another host goes there without the token: `fetch` takes it off.
    return await fetch(url, {
      ...init,
      headers,
      signal: either(own.signal, init.signal ?? settings.signal),
    })
  } finally {
    clearTimeout(timer)
  }
}

/**
 * `fetch` as the Hub's client and the downloads use it. What comes back is an answer that is right (200, 206).
 *
 * @throws Refusal in one sentence else.
 */
export const hubFetch =
  (settings: HubSettings, name: HubName): Fetch =>
  async (input, init = {}) => {
    const { endpoint, tries } = settings
    for (let tried = 1; ; tried++) {
      let wait = settings.pause * 2 ** (tried - 1)
      try {
        const response = await once(settings, input, init)
        if (response.status === 200 || response.status === 206) return response
        await response.body?.cancel()
        const { status } = response
        const mayPass = status === 429 || status === 408 || status >= 500
        if (!mayPass || tried >= tries) throw new Refusal(complaint(name, settings, response))
        wait = askedPause(response) ?? wait
        if (wait > longestPause)
          throw new Refusal(`${endpoint} asks to be left alone for ${Math.ceil(wait / 1000)} s (${status})`)
      } catch (error) {
        if (error instanceof Refusal) throw error
        if (settings.signal?.aborted === true) throw new Refusal('the download was ended')
        if (tried >= tries || isNobody(error))
          throw new Refusal(`${endpoint} cannot be reached: ${reason(error)}`, true)
      }
      await pause(wait, settings.signal)
    }
  }

/** The same for the client, which is given answers that have come whole: JSON, which is short. */
export const listingFetch = (settings: HubSettings, name: HubName): Fetch => {
  const { endpoint, timeout, signal } = settings
  const request = hubFetch(settings, name)
  return async (input, init = {}) => {
    const own = new AbortController()
    const response = await request(input, { ...init, signal: either(own.signal, signal) })
    const chunks: Uint8Array<ArrayBuffer>[] = []
    let length = 0
    try {
      for await (const chunk of chunksOf(response, timeout, (reason) => own.abort(reason))) {
        length += chunk.length
        if (length > largestAnswer)
          throw new Refusal(`${endpoint} answers with more than ${largestAnswer} bytes`)
        chunks.push(chunk)
      }
    } catch (error) {
      if (error instanceof Refusal) throw error
      if (signal?.aborted === true) throw new Refusal('the download was ended')
      throw new Refusal(`${endpoint} cannot be reached: ${reason(error)}`, true)
    }
    return new Response(new Blob(chunks), response)
  }
}
