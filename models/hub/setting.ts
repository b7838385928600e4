/** Where models come from and where they are kept: what the environment says, read as Hugging Face's libraries do. */
import { either as E } from 'fp-ts'

/** What is told of a download: bytes that are there of all that are wanted, and the file at hand. */
export type Progress = (done: number, total: number, file: string) => void

export interface HubOptions {
  /** `HF_ENDPOINT`: https://huggingface.co, or a mirror of it. */
  readonly endpoint?: string | undefined
  /** `HF_HUB_CACHE`, or `hub` in `HF_HOME`: ~/.cache/huggingface/hub, which Python's huggingface_hub shares. */
  readonly cache?: string | undefined
  /** `HF_TOKEN`, or what `hf auth login` has left; null for none. It is shown to the endpoint alone. */
  readonly token?: string | null | undefined
  /** `HF_HUB_OFFLINE`: nothing is asked of the network, the cache is all there is. */
  readonly offline?: boolean | undefined
  /** `HF_HUB_DOWNLOAD_TIMEOUT`: for how many seconds nothing may come. 10 by default. */
  readonly timeout?: number | undefined
  /** How often in a row something is tried in vain before it is given up. 5 by default. */
  readonly tries?: number | undefined
  /** Seconds before something is tried again, and twice as many each time after. 1 by default. */
  readonly pause?: number | undefined
  readonly progress?: Progress | undefined
  /** Where it is told that the Hub does not answer and the cache is taken; a warning of the process by default. */
  readonly note?: ((sentence: string) => void) | undefined
  /** Ends the download; a later one goes on from what is there. */
  readonly signal?: AbortSignal | undefined
}

export interface HubSettings {
  readonly endpoint: string
  readonly cache: string
  readonly token: string | undefined
  readonly offline: boolean
  /** In milliseconds. */
  readonly timeout: number
  readonly tries: number
  /** In milliseconds. */
  readonly pause: number
  readonly progress: Progress
  readonly note: (sentence: string) => void
  readonly signal: AbortSignal | undefined
}

type Environment = Readonly<Record<string, string | undefined>>

const isTrue = (value: string | undefined): boolean =>
  ['1', 'ON', 'YES', 'TRUE'].includes((value ?? '').toUpperCase())

/** What a variable says; an empty one says nothing. */
const said = (environment: Environment, ...names: readonly string[]): string | undefined =>
  names.map((name) => environment[name]).find((value) => value !== undefined && value !== '')

/** The folder in which Hugging Face's libraries keep what they keep. */
const homeOf = (environment: Environment, user: string): string =>
  said(environment, 'HF_HOME') ?? `${said(environment, 'XDG_CACHE_HOME') ?? `${user}/.cache`}/huggingface`

const fileToken = async (path: string): Promise<string | undefined> => {
  const { readFile } = await import('node:fs/promises')
  const text = await readFile(path, 'utf8').catch(() => '')
  return text.trim() === '' ? undefined : text.trim()
}

const tokenOf = async (environment: Environment, home: string): Promise<string | undefined> => {
  if (isTrue(environment['HF_HUB_DISABLE_IMPLICIT_TOKEN'])) return undefined
  const own = said(environment, 'HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN')?.trim()
  return own ?? fileToken(said(environment, 'HF_TOKEN_PATH') ?? `${home}/token`)
}

const endpointOf = (endpoint: string): E.Either<string, string> =>
  URL.canParse(endpoint) && /^https?:$/.test(new URL(endpoint).protocol)
    ? E.right(endpoint.replace(/\/+$/, ''))
    : E.left(`${JSON.stringify(endpoint)} (HF_ENDPOINT) is no address of a Hub`)

/** The settings that options, the environment and defaults come to, in this order. Left: an endpoint that is none. */
export const hubSettings = async (
  options: HubOptions,
  environment: Environment = process.env,
): Promise<E.Either<string, HubSettings>> => {
  const { homedir } = await import('node:os')
  const { resolve } = await import('node:path')
  const user = homedir()
  const expanded = (path: string): string => resolve(path.replace(/^~(?=$|[/\\])/, user))
  const home = expanded(homeOf(environment, user))
  const cache = options.cache ?? said(environment, 'HF_HUB_CACHE', 'HUGGINGFACE_HUB_CACHE') ?? `${home}/hub`
  const seconds = Number(said(environment, 'HF_HUB_DOWNLOAD_TIMEOUT') ?? 10)
  const token = options.token === undefined ? await tokenOf(environment, home) : options.token
  return E.map((endpoint: string): HubSettings => ({
    endpoint,
    cache: expanded(cache),
    token: token ?? undefined,
    offline: options.offline ?? isTrue(said(environment, 'HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE')),
    timeout: 1000 * (options.timeout ?? (seconds > 0 ? seconds : 10)),
    tries: options.tries ?? 5,
    pause: 1000 * (options.pause ?? 1),
    progress: options.progress ?? (() => undefined),
    note: options.note ?? ((sentence) => process.emitWarning(sentence)),
    signal: options.signal,
  }))(endpointOf(options.endpoint ?? said(environment, 'HF_ENDPOINT') ?? 'https://huggingface.co'))
}
