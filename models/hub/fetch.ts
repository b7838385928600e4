/** Models by their names on the Hub: what is needed of them is brought into the cache, and the cache is a folder. */
import { either as E, taskEither as TE } from 'fp-ts'
import { writeFailure } from '../../core/file.ts'
import { index, noWeights, single } from '../checkpoint/weight.ts'
import { isRecord } from '../record.ts'
import { isModule, isModuleFolder, sentenceFile, sentenceModules, sentencePrompts } from '../task/module.ts'
import { templateFile, templateFolder } from '../tokenizer/template.ts'
import { cachedSnapshot, link, modelPath, noteCommit, sizeOf, snapshotPath } from './cache.ts'
import { download } from './download.ts'
import type { HubFile } from './download.ts'
import { hubName, isCommit } from './name.ts'
import type { HubName } from './name.ts'
import { Refusal, listingFetch } from './request.ts'
import { hubSettings } from './setting.ts'
import type { HubOptions, HubSettings } from './setting.ts'

/** What is read of a folder besides its weights. */
const plain = [
  'config.json',
  'generation_config.json',
  'preprocessor_config.json',
  'processor_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  templateFile,
  sentenceModules,
  sentenceFile,
  sentencePrompts,
]

const isTemplate = (path: string): boolean => {
  const [folder, name = '', ...more] = path.split('/')
  return folder === templateFolder && name.endsWith('.jinja') && more.length === 0
}

/** Folders in which there may be something to read. */
const isFurther = (path: string): boolean => path === templateFolder || isModuleFolder(path)

const shard = /^model-\d+-of-\d+\.safetensors$/

/** A repository may list so many files. */
const mostFiles = 100_000

const isSize = (x: unknown): x is number => Number.isSafeInteger(x) && (x as number) >= 0

const leaves = (path: string): boolean =>
  path.startsWith('/') || /[\\\0]|^[A-Za-z]:/.test(path) || path.split('/').includes('..')

/** An entry of a listing. Throws a refusal where it is none, or would lead out of the folder. */
const fileOf = ({ repo }: HubName, entry: unknown): HubFile | undefined => {
  if (!isRecord(entry)) throw new Refusal(`${repo}: the Hub lists something that is no file`)
  const { type, path, oid, size, lfs } = entry
  if (typeof path !== 'string') throw new Refusal(`${repo}: the Hub lists a file without a name`)
  if (leaves(path)) throw new Refusal(`${repo} lists ${JSON.stringify(path)}, which leads out of its folder`)
  if (type !== 'file') return undefined
  const large = isRecord(lfs) ? lfs : undefined
  const hash = large === undefined ? oid : String(large['oid']).replace(/^sha256:/, '')
  const bytes = large === undefined ? size : large['size']
  const isHash =
    typeof hash === 'string' && (large === undefined ? /^[0-9a-f]{40}$/ : /^[0-9a-f]{64}$/).test(hash)
  if (!isHash || !isSize(bytes)) throw new Refusal(`${repo}: the Hub lists ${path} without its hash or size`)
  return { path, size: bytes, hash }
}

/** What is needed of all files: configs, tokenizer, and the weights in one file or in shards. */
const needed = ({ repo }: HubName, files: readonly HubFile[]): readonly HubFile[] => {
  const names = new Set(files.map(({ path }) => path))
  if (!names.has('config.json'))
    throw new Refusal(`${repo} has no config.json: it is no model of Transformers`)
  const weights = names.has(single)
    ? [single]
    : names.has(index)
      ? [index, ...[...names].filter((name) => shard.test(name))]
      : []
  if (weights.length === 0) throw new Refusal(noWeights(repo, names, 'FOLDER'))
  const wanted = new Set([...plain, ...weights])
  return files.filter(({ path }) => wanted.has(path) || isTemplate(path) || isModule(path))
}

interface Listing {
  readonly commit: string
  readonly files: readonly HubFile[]
}

/** The commit that a revision is, and its files; by the Hub's own client. */
const listingOf = async (settings: HubSettings, name: HubName): Promise<Listing> => {
  const { listFiles, modelInfo } = await import('@huggingface/hub')
  const { repo, revision } = name
  // The client knows the addresses and reads the answers; how one asks, and the token, is in this.
  const asked = { hubUrl: settings.endpoint, fetch: listingFetch(settings, name) as typeof fetch }
  const { sha } = await modelInfo({ name: repo, revision, additionalFields: ['sha'], ...asked })
  if (!isCommit(sha)) throw new Refusal(`${repo}: the Hub names ${JSON.stringify(sha)}, which is no commit`)
  const files: HubFile[] = []
  let entries = 0
  const list = async (path?: string): Promise<void> => {
    const within = path === undefined ? {} : { path }
    const further: string[] = []
    for await (const entry of listFiles({ repo, revision: sha, ...asked, ...within })) {
      const file = fileOf(name, entry)
      if (file !== undefined) files.push(file)
      if (path === undefined && entry.type === 'directory' && isFurther(entry.path)) further.push(entry.path)
      if (++entries > mostFiles) throw new Refusal(`${repo} lists more than ${mostFiles} files`)
    }
    for (const folder of further) await list(folder)
  }
  await list()
  return { commit: sha, files }
}

/** Fetches what the cache lacks; the folder of the snapshot. */
const fetched = async (settings: HubSettings, name: HubName): Promise<string> => {
  const { commit, files } = await listingOf(settings, name)
  const model = modelPath(settings.cache, name)
  const folder = snapshotPath(model, commit)
  const wanted = needed(name, files)
  const total = wanted.reduce((sum, { size }) => sum + size, 0)
  const lacking: HubFile[] = []
  for (const file of wanted) if ((await sizeOf(`${folder}/${file.path}`)) !== file.size) lacking.push(file)
  let before = total - lacking.reduce((sum, { size }) => sum + size, 0)
  for (const file of lacking) {
    await download(settings, name, model, commit, file, (have) =>
      settings.progress(before + have, total, file.path),
    )
    await link(model, commit, file.path, file.hash)
    before += file.size
  }
  // Last, so that a revision that the cache knows is whole.
  await noteCommit(model, name.revision, commit)
  return folder
}

/** Anything that went wrong, in a sentence; bugs go on. */
const inWords = (error: unknown, { cache, endpoint }: HubSettings, { repo }: HubName): string => {
  if (error instanceof Refusal)
    return error.message.startsWith(repo) ? error.message : `${repo}: ${error.message}`
  if (error instanceof SyntaxError) return `${repo}: ${endpoint} answers with something that is no JSON`
  if (error instanceof Error && 'code' in error && 'syscall' in error)
    return `${cache} ${writeFailure(error)}`
  // What the client says of answers that it cannot read.
  if (error instanceof TypeError)
    return `${repo}: ${endpoint} answers with something that is no listing (${error.message})`
  throw error
}

/**
 * The folder of a model on the Hub, `owner/name` or `owner/name@revision`: what the cache lacks of config, tokenizer
 * and safetensors is fetched, from where an earlier try has ended, and checked against its hash. The cache is the one
 * of Python's huggingface_hub.
 *
 * Where the Hub cannot be reached, a snapshot that the cache has is taken, and said (`note`).
 *
 * @returns Left: why there is no such model, or it cannot be had, in one sentence.
 * @example
 * ```ts
 * const found = await fetchModel('mill/heron', { offline: true, cache: '/nowhere' })()
 * if (found._tag === 'Left') console.log(found.left)
 * // => mill/heron is not in /nowhere, and the Hub is not asked (HF_HUB_OFFLINE)
 * ```
 */
export const fetchModel =
  (model: string, options: HubOptions = {}): TE.TaskEither<string, string> =>
  async () => {
    const name = hubName(model)
    if (name === undefined) return E.left(`${JSON.stringify(model)} is no name of a model on the Hub`)
    if (typeof process === 'undefined')
      return E.left(
        `${model}: only Node has a cache for models of the Hub; fetch a browser's files by their address`,
      )
    const found = await hubSettings(options)
    if (E.isLeft(found)) return found
    const settings = found.right
    const cached = (): Promise<string | undefined> => cachedSnapshot(settings.cache, name)
    if (settings.offline)
      return E.fromNullable(
        `${model} is not in ${settings.cache}, and the Hub is not asked (HF_HUB_OFFLINE)`,
      )(await cached())
    try {
      return E.right(await fetched(settings, name))
    } catch (error) {
      const sentence = inWords(error, settings, name)
      const folder = error instanceof Refusal && error.unreachable ? await cached() : undefined
      if (folder === undefined) return E.left(sentence)
      settings.note(`${sentence}; ${folder} is taken instead`)
      return E.right(folder)
    }
  }

/**
 * The folder that a model is in: a path where there is a folder, else a name on the Hub (`fetchModel`). What is neither
 * comes out as it is, for whoever reads it to say that it does not exist.
 *
 * @example
 * ```ts
 * console.log(await modelFolder('./runs/start')()) // => { _tag: 'Right', right: './runs/start' }
 * ```
 */
export const modelFolder = (model: string, options: HubOptions = {}): TE.TaskEither<string, string> => {
  if (hubName(model) === undefined) return TE.right(model)
  return TE.flatMap((isThere: boolean) =>
    isThere
      ? TE.right(model)
      : TE.mapLeft((left: string) => `${left}; nor is there a folder ${model}`)(fetchModel(model, options)),
  )(async () => {
    const { stat } = await import('node:fs/promises')
    return E.right(
      await stat(model).then(
        () => true,
        () => false,
      ),
    )
  })
}
