/** A Hub on this machine: folders served as huggingface.co serves repositories, and whatever a test has go wrong. */
import { createHash } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Repository {
  readonly commit: string
  readonly files: Readonly<Record<string, Uint8Array>>
}

/** What a request was, as a test looks at it. */
export interface Asked {
  readonly path: string
  readonly range: string | undefined
  readonly token: string | undefined
}

/** Answers a request in its own way, or leaves it alone (false). */
export type Meddler = (request: IncomingMessage, response: ServerResponse, path: string) => boolean

export interface Hub {
  readonly url: string
  readonly asked: Asked[]
  readonly close: () => Promise<void>
}

/** All files of a folder, and a commit that no other has. */
export const repositoryOf = (folder: string): Repository => {
  const files = Object.fromEntries(
    readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => [name, new Uint8Array(readFileSync(`${folder}/${name}`))]),
  )
  return { commit: createHash('sha1').update(folder).digest('hex'), files }
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

export const gitHash = (bytes: Uint8Array): string =>
  createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex')

/** Weights are kept in large-file storage, as on the Hub. */
const isLarge = (path: string): boolean => path.endsWith('.safetensors')

/** What the tree API says of a file. */
export const entryOf = (path: string, bytes: Uint8Array): Readonly<Record<string, unknown>> => ({
  type: 'file',
  path,
  size: bytes.length,
  oid: gitHash(bytes),
  ...(isLarge(path) ? { lfs: { oid: sha256(bytes), size: bytes.length, pointerSize: 130 } } : {}),
})

/** What the tree API lists of a folder: its files, and the folders in it. */
const listing = ({ files }: Repository, folder: string): readonly unknown[] => {
  const within = Object.keys(files).filter((name) => folder === '' || name.startsWith(`${folder}/`))
  const start = folder === '' ? 0 : folder.length + 1
  const isHere = (name: string): boolean => !name.slice(start).includes('/')
  const folders = new Set(
    within.filter((name) => !isHere(name)).map((name) => name.slice(0, name.indexOf('/', start))),
  )
  return [
    ...[...folders].map((path) => ({ type: 'directory', path, size: 0, oid: gitHash(new Uint8Array()) })),
    ...within.filter(isHere).map((name) => entryOf(name, files[name] as Uint8Array)),
  ]
}

export const answerJson = (response: ServerResponse, value: unknown): void => {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify(value))
}

/** Sends a file, or the part of it that is asked for. */
export const answerFile = (request: IncomingMessage, response: ServerResponse, bytes: Uint8Array): void => {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? []
  const etag = `"${gitHash(bytes)}"`
  if (first === undefined) {
    response.writeHead(200, { 'content-length': bytes.length, etag, 'accept-ranges': 'bytes' })
    response.end(bytes)
    return
  }
  const [begin, end] = [Number(first), last === '' ? bytes.length - 1 : Number(last)]
  if (begin >= bytes.length) {
    response.writeHead(416, { 'content-range': `bytes */${bytes.length}` })
    response.end()
    return
  }
  response.writeHead(206, {
    'content-length': end - begin + 1,
    'content-range': `bytes ${begin}-${end}/${bytes.length}`,
    etag,
  })
  response.end(bytes.subarray(begin, end + 1))
}

/** A refusal with the code that the Hub gives it. */
export const refuse = (
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>> = {},
): void => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify({ error: `refused with ${status}` }))
}

const answer = (
  repositories: Readonly<Record<string, Repository>>,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
): void => {
  const [, named = '', kind, revision, file = ''] =
    /^\/(?:api\/models\/)?(.+?)\/(revision|tree|resolve)\/([^/]+)(?:\/(.+))?$/.exec(path) ?? []
  const repository = repositories[named]
  if (repository === undefined) return refuse(response, 401, { 'x-error-code': 'RepoNotFound' })
  if (revision !== 'main' && revision !== repository.commit)
    return refuse(response, 404, { 'x-error-code': 'RevisionNotFound' })
  if (kind === 'revision')
    return answerJson(response, {
      _id: '1',
      id: named,
      sha: repository.commit,
      lastModified: '2020-01-01T00:00:00.000Z',
      private: false,
      gated: false,
      downloads: 0,
      likes: 0,
    })
  if (kind === 'tree') return answerJson(response, listing(repository, file))
  const bytes = repository.files[file]
  if (bytes === undefined) return refuse(response, 404, { 'x-error-code': 'EntryNotFound' })
  answerFile(request, response, bytes)
}

/** Serves repositories by their names until closed; `meddle` may answer first. */
export const serveHub = async (
  repositories: Readonly<Record<string, Repository>>,
  meddle: Meddler = () => false,
): Promise<Hub> => {
  const asked: Asked[] = []
  const server = createServer((request, response) => {
    const path = decodeURI(new URL(request.url ?? '/', 'http://localhost').pathname)
    asked.push({ path, range: request.headers.range, token: request.headers.authorization })
    if (!meddle(request, response, path)) answer(repositories, request, response, path)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close: () => {
      server.closeAllConnections()
      return new Promise((done) => server.close(() => done()))
    },
  }
}
