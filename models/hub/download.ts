/** One file into the cache: from where an earlier try has ended, to the last byte, and checked against its hash. */
import type { Hash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { syncFolder, writeFailure } from '../../core/file.ts'
import { blobPath, sizeOf } from './cache.ts'
import type { HubName } from './name.ts'
import { beginPartial, isAwaited, isTheirs, leavePartial } from './partial.ts'
import { chunksOf, either, hubFetch, pause, Refusal } from './request.ts'
import type { HubSettings } from './setting.ts'

/** A file as the Hub lists it. */
export interface HubFile {
  readonly path: string
  readonly size: number
  /** The sha256 of a large file, the sha1 that git gives a small one. */
  readonly hash: string
}

interface Download {
  readonly settings: HubSettings
  readonly name: HubName
  readonly file: HubFile
  readonly url: string
  readonly handle: FileHandle
  /** Told how many bytes of the file are there. */
  readonly told: (have: number) => void
}

/** A break before so many bytes have come counts as a try in vain. */
const enough = 2 ** 16

const look = 100

const newHash = async ({ hash, size }: HubFile): Promise<Hash> => {
  const { createHash } = await import('node:crypto')
  return hash.length === 64 ? createHash('sha256') : createHash('sha1').update(`blob ${size}\0`)
}

/** Reads the beginning of a file into a hash. */
const hashBeginning = async (handle: FileHandle, hash: Hash, end: number): Promise<void> => {
  const buffer = new Uint8Array(2 ** 20)
  for (let at = 0; at < end;) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, end - at), at)
    if (bytesRead === 0) throw new Refusal('the cache changes while it is read')
    hash.update(buffer.subarray(0, bytesRead))
    at += bytesRead
  }
}

/** Where the bytes of an answer begin: where they were asked for, or at the file's own beginning. */
const beginOf = (response: Response, { path, size }: HubFile, have: number): number => {
  const { headers } = response
  if (response.status === 206) {
    const [, begin, whole] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get('content-range') ?? '') ?? []
    if (Number(begin) !== have || (whole !== '*' && Number(whole) !== size))
      throw new Refusal(
        `${path} has ${size} bytes by the listing; asked for those from ${have} on, the server sends ${headers.get('content-range') ?? 'others'}`,
      )
    return have
  }
  const length = headers.get('content-length')
  if (length !== null && headers.get('content-encoding') === null && Number(length) !== size)
    throw new Refusal(`${path} has ${size} bytes by the listing, the server sends ${length}`)
  return 0
}

/** Writes down what one request brings. `at` and `hash` are where the file has got to. */
const receive = async (
  { settings, name, file, url, handle, told }: Download,
  at: { have: number; hash: Hash },
): Promise<void> => {
  const own = new AbortController()
  const response = await hubFetch(settings, name)(url, {
    // As it is stored: lengths and places are those of the file.
    headers: { 'accept-encoding': 'identity', ...(at.have > 0 ? { range: `bytes=${at.have}-` } : {}) },
    signal: either(own.signal, settings.signal),
  })
  const begin = ((): number => {
    try {
      return beginOf(response, file, at.have)
    } catch (error) {
      own.abort() // Otherwise the file would go on coming, with nobody to read it.
      throw error
    }
  })()
  if (begin === 0 && at.have > 0) {
    await handle.truncate(0)
    at.have = 0
    at.hash = await newHash(file)
  }
  for await (const chunk of chunksOf(response, settings.timeout, (reason) => own.abort(reason))) {
    if (at.have + chunk.length > file.size)
      throw new Refusal(`${file.path} has ${file.size} bytes by the listing, the server sends more`)
    try {
      for (let done = 0; done < chunk.length;)
        done += (await handle.write(chunk, done, chunk.length - done, at.have + done)).bytesWritten
    } catch (error) {
      throw new Refusal(`${settings.cache} ${writeFailure(error)}`)
    }
    at.hash.update(chunk)
    at.have += chunk.length
    told(at.have)
  }
}

/** Everything that is lacking, in as many requests as it takes, and the check. Whether the hash is right. */
const complete = async (download: Download, begin: number): Promise<boolean> => {
  const { settings, file, handle, told } = download
  const at = { have: begin, hash: await newHash(file) }
  await hashBeginning(handle, at.hash, begin)
  told(begin)
  const brokenOff = (why: string): Refusal =>
    new Refusal(
      `${file.path}: ${at.have} of ${file.size} bytes came before the connection broke off (${why}); ask again to go on from there`,
    )
  for (let vain = 0; at.have < file.size;) {
    const before = at.have
    let why = 'it ended early'
    try {
      await receive(download, at)
    } catch (error) {
      if (error instanceof Refusal) throw error.unreachable ? brokenOff(error.message) : error
      why = error instanceof Error ? error.message : String(error)
    }
    if (at.have === file.size) break
    if (settings.signal?.aborted === true) throw new Refusal('the download was ended')
    vain = at.have - before >= enough ? 0 : vain + 1
    if (vain >= settings.tries) throw brokenOff(why)
    if (vain > 0) await pause(settings.pause * 2 ** (vain - 1), settings.signal)
  }
  return at.hash.digest('hex') === file.hash
}

/** Waits while others are at it. */
const awaited = async (blob: string, file: HubFile, { signal }: HubSettings): Promise<boolean> => {
  while (await isAwaited(blob)) {
    if ((await sizeOf(blob)) === file.size) return true
    await pause(look, signal)
  }
  return (await sizeOf(blob)) === file.size
}

const load = async (download: Omit<Download, 'handle'>, blob: string, own: string): Promise<void> => {
  const { open, rename, rm } = await import('node:fs/promises')
  const { dirname } = await import('node:path')
  const { file } = download
  const handle = await open(own, 'r+')
  let kept = true
  try {
    const { size } = await handle.stat()
    const begin = size > file.size ? 0 : size
    if (begin === 0) await handle.truncate(0)
    let right = await complete({ ...download, handle }, begin)
    if (!right && begin > 0) {
      // What an earlier download had left may have been at fault.
      await handle.truncate(0)
      right = await complete({ ...download, handle }, 0)
    }
    if (!right) {
      kept = false
      throw new Refusal(
        `${file.path} is not what the Hub lists: its hash is another one, so it was thrown away`,
      )
    }
    await handle.sync()
  } catch (error) {
    await (kept ? leavePartial(blob, own) : rm(own, { force: true }))
    throw error
  } finally {
    await handle.close()
  }
  await rename(own, blob).catch(async (error: unknown) => {
    // Who took this one for dead has brought it there.
    if ((await sizeOf(blob)) !== file.size) throw error
  })
  await syncFolder(dirname(blob))
}

/** Has the blob of a file be in the cache of a model. */
export const download = async (
  settings: HubSettings,
  name: HubName,
  model: string,
  commit: string,
  file: HubFile,
  told: (have: number) => void,
): Promise<void> => {
  const { mkdir, rm } = await import('node:fs/promises')
  const blob = blobPath(model, file.hash)
  await mkdir(`${model}/blobs`, { recursive: true })
  for (;;) {
    if ((await sizeOf(blob)) === file.size) break
    const own = await beginPartial(blob)
    if ((await sizeOf(own)) === 0 && (await isTheirs(blob, own))) {
      await rm(own, { force: true })
      if (await awaited(blob, file, settings)) break
      continue
    }
    const address = file.path.split('/').map(encodeURIComponent).join('/')
    const url = `${settings.endpoint}/${name.repo}/resolve/${commit}/${address}`
    await load({ settings, name, file, url, told }, blob, own)
    break
  }
  told(file.size)
}
