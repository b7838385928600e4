/**
 * Downloads at work, each in a file of its own beside the blob: HASH.HOST-PROCESS-NUMBER.incomplete. Nobody writes in
 * another's file, so what comes of several at once is right. Who sees another at the same blob waits for it, and who
 * sees that another has died, or given up (process 0), takes over what is there.
 */
import type { Stats } from 'node:fs'

const ending = '.incomplete'

/** What another download has not touched for so long is left behind. */
const abandoned = 120_000

/** The same for files of other programs, whose names do not tell whether they are at work. */
const forgotten = 3_600_000

let count = 0

interface Begun {
  readonly path: string
  readonly size: number
  /** Whether it is one of these, rather than another program's. */
  readonly known: boolean
  readonly alive: boolean
}

const runs = (id: number): boolean => {
  try {
    process.kill(id, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

const hostName = async (): Promise<string> =>
  (await import('node:os')).hostname().replaceAll(/[^A-Za-z0-9]/g, '') || 'host'

const partialOf = (path: string, { mtimeMs, size }: Stats, host: string): Begun => {
  const age = Date.now() - mtimeMs
  const [, where, id] = /\.([A-Za-z0-9]+)-(\d+)-\d+\.incomplete$/.exec(path) ?? []
  return where === undefined
    ? { path, size, known: false, alive: age < forgotten }
    : {
        path,
        size,
        known: true,
        alive: id !== '0' && age < abandoned && (where !== host || runs(Number(id))),
      }
}

/** The other downloads of a blob. */
const others = async (blob: string, own: string): Promise<readonly Begun[]> => {
  const { readdir, stat } = await import('node:fs/promises')
  const { basename, dirname } = await import('node:path')
  const host = await hostName()
  const found: Begun[] = []
  for (const name of await readdir(dirname(blob))) {
    const path = `${dirname(blob)}/${name}`
    if (!name.startsWith(`${basename(blob)}.`) || !name.endsWith(ending) || path === own) continue
    const stats = await stat(path).catch(() => undefined)
    if (stats !== undefined) found.push(partialOf(path, stats, host))
  }
  return found
}

const nameFor = async (blob: string, id: number): Promise<string> =>
  `${blob}.${await hostName()}-${id}-${count++}${ending}`

/** A file of one's own to load a blob into; where somebody has died at it, with what was there. */
export const beginPartial = async (blob: string): Promise<string> => {
  const { open, rename, rm } = await import('node:fs/promises')
  const own = await nameFor(blob, process.pid)
  const dead = (await others(blob, own)).filter(({ alive }) => !alive).sort((a, b) => b.size - a.size)
  for (const [i, { path }] of dead.entries())
    // Of several that see it, the system lets one have it.
    await (i === 0 ? rename(path, own).catch(() => undefined) : rm(path, { force: true }))
  await (await open(own, 'a')).close()
  return own
}

/** Whether somebody else is at the blob, further on or as far: then it is theirs. */
export const isTheirs = async (blob: string, own: string): Promise<boolean> =>
  (await others(blob, own)).some(({ path, size, known, alive }) => known && alive && (size > 0 || path < own))

/** Whether anybody is at the blob. */
export const isAwaited = async (blob: string): Promise<boolean> =>
  (await others(blob, '')).some(({ known, alive }) => known && alive)

/** Leaves what there is to whoever comes next. */
export const leavePartial = async (blob: string, own: string): Promise<void> => {
  const { rename, rm, stat } = await import('node:fs/promises')
  // Another process may have taken it over.
  const found = await stat(own).catch(() => undefined)
  if (found === undefined) return
  await (found.size === 0 ? rm(own, { force: true }) : rename(own, await nameFor(blob, 0)))
}
