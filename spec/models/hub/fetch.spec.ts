/** Models by their names, from a Hub on this machine: what comes, how it lies in the cache, and whatever goes wrong. */
import { spawn } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { either as E } from 'fp-ts'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  BertForSequenceClassification,
  fetchModel,
  loadModel,
  loadTokenizer,
  modelFolder,
  pipeline,
} from '../../../models/index.ts'
import type { HubOptions } from '../../../models/index.ts'
import type { Asked, Hub, Meddler, Repository } from '../../support/hub.ts'
import {
  answerFile,
  answerJson,
  entryOf,
  gitHash,
  refuse,
  repositoryOf,
  serveHub,
  sha256,
} from '../../support/hub.ts'

const test = suite('the Hub')

const classes = fileURLToPath(new URL('../../fixtures/tasks/classes', import.meta.url))
const repository = repositoryOf(classes)
const weights = repository.files['model.safetensors'] as Uint8Array
const { commit } = repository

const scratch = mkdtempSync(join(tmpdir(), 'pullback-hub-'))
const hubs: Hub[] = []
test.after(async () => {
  for (const hub of hubs) await hub.close()
  rmSync(scratch, { recursive: true, force: true })
})

let caches = 0
const newCache = (): string => join(scratch, `cache-${caches++}`)

const serve = async (
  meddle?: Meddler,
  repositories: Readonly<Record<string, Repository>> = {},
): Promise<Hub> => {
  const hub = await serveHub({ 'mill/classes': repository, classes: repository, ...repositories }, meddle)
  hubs.push(hub)
  return hub
}

const quick = { token: null, offline: false, pause: 0.01, timeout: 10 } as const

type Attempt = [hub: Hub, cache: string, options?: HubOptions, name?: string]

const attempt = (
  ...[hub, cache, options = {}, name = 'mill/classes']: Attempt
): Promise<E.Either<string, string>> => fetchModel(name, { ...quick, endpoint: hub.url, cache, ...options })()

const fetched = async (...asked: Attempt): Promise<string> => {
  const found = await attempt(...asked)
  if (E.isLeft(found)) throw new Error(found.left)
  return found.right
}

const refusal = async (...asked: Attempt): Promise<string> => {
  const found = await attempt(...asked)
  if (E.isRight(found)) throw new Error(`${found.right} was fetched`)
  return found.left
}

const isFile = (path: string, name: string): boolean =>
  path.includes('/resolve/') && path.endsWith(`/${name}`)
const downloads = (asked: readonly Asked[]): readonly Asked[] =>
  asked.filter(({ path }) => path.includes('/resolve/'))
const blobs = (cache: string): readonly string[] => readdirSync(join(cache, 'models--mill--classes/blobs'))
/** Waits until so many bytes of a file that is being fetched lie in the cache. */
const begun = async (cache: string, size: number): Promise<void> => {
  const there = (): boolean =>
    existsSync(join(cache, 'models--mill--classes/blobs')) &&
    blobs(cache).some(
      (name) =>
        name.startsWith(`${sha256(weights)}.`) &&
        statSync(join(cache, 'models--mill--classes/blobs', name)).size === size,
    )
  while (!there()) await new Promise((done) => setTimeout(done, 10))
}
const isWhole = (folder: string): void => {
  for (const [name, bytes] of Object.entries(repository.files))
    assert.equal(new Uint8Array(readFileSync(join(folder, name))), bytes, name)
}

test('a model comes with what is needed of it, into the layout that Python shares', async () => {
  const files = {
    ...repository.files,
    'pytorch_model.bin': new Uint8Array(9),
    'model.fp16.safetensors': new Uint8Array(9),
    'onnx/model.onnx': new Uint8Array(9),
    'README.md': new Uint8Array(9),
  }
  const hub = await serve(undefined, { 'mill/classes': { commit, files } })
  const cache = newCache()
  const told: (readonly [number, number])[] = []
  const folder = await fetched(hub, cache, { progress: (done, total) => void told.push([done, total]) })
  assert.is(folder, join(cache, 'models--mill--classes/snapshots', commit))
  assert.equal(readdirSync(folder).sort(), Object.keys(repository.files).sort())
  isWhole(folder)
  assert.ok(lstatSync(join(folder, 'config.json')).isSymbolicLink())
  const config = gitHash(repository.files['config.json'] as Uint8Array)
  assert.is(readlinkSync(join(folder, 'config.json')), `../../blobs/${config}`)
  assert.is(readlinkSync(join(folder, 'model.safetensors')), `../../blobs/${sha256(weights)}`)
  assert.is(readFileSync(join(cache, 'models--mill--classes/refs/main'), 'utf8'), commit)
  const total = Object.values(repository.files).reduce((sum, { length }) => sum + length, 0)
  assert.equal(told.at(-1), [total, total])
  assert.ok(told.every(([done], i) => i === 0 || done >= (told[i - 1]?.[0] as number)))
})

test('chat templates come in files of their own, the further ones in their folder', async () => {
  const template = (text: string): Uint8Array => new TextEncoder().encode(text)
  const added = {
    'chat_template.jinja': template('first'),
    'additional_chat_templates/tool_use.jinja': template('second'),
  }
  const others = { 'additional_chat_templates/README.md': template('third'), 'onnx/a.jinja': template('x') }
  const files = { ...repository.files, ...added, ...others }
  const hub = await serve(undefined, { 'mill/classes': { commit, files } })
  const cache = newCache()
  const folder = await fetched(hub, cache)
  for (const [name, bytes] of Object.entries(added)) {
    assert.equal(new Uint8Array(readFileSync(join(folder, name))), bytes, name)
    assert.ok(lstatSync(join(folder, name)).isSymbolicLink(), name)
  }
  const own = gitHash(added['additional_chat_templates/tool_use.jinja'])
  assert.is(readlinkSync(join(folder, 'additional_chat_templates/tool_use.jinja')), `../../../blobs/${own}`)
  for (const name of Object.keys(others)) assert.not.ok(existsSync(join(folder, name)), name)
  const loaded = await loadTokenizer(folder)()
  if (E.isLeft(loaded)) throw new Error(loaded.left)
  assert.equal(loaded.right.config.chatTemplates, { default: 'first', tool_use: 'second' })
  const asked = downloads(hub.asked).length
  await fetched(hub, cache)
  assert.is(downloads(hub.asked).length, asked)
})

test("what sentence-transformers keeps beside a model is fetched with it, each module's folder", async () => {
  const text = (words: string): Uint8Array => new TextEncoder().encode(words)
  const added = {
    'modules.json': text('[]'),
    'sentence_bert_config.json': text('{}'),
    'config_sentence_transformers.json': text('{"prompts":{}}'),
    '1_Pooling/config.json': text('{"pooling_mode":"mean"}'),
    '2_Dense/model.safetensors': text('weights'),
  }
  const others = { '2_Dense/pytorch_model.bin': text('pickle'), 'onnx/config.json': text('{"x":1}') }
  const files = { ...repository.files, ...added, ...others }
  const hub = await serve(undefined, { 'mill/classes': { commit, files } })
  const folder = await fetched(hub, newCache())
  for (const [name, bytes] of Object.entries(added))
    assert.equal(new Uint8Array(readFileSync(join(folder, name))), bytes, name)
  for (const name of Object.keys(others)) assert.not.ok(existsSync(join(folder, name)), name)
})

test('what the cache has is not fetched again, and offline is all there is', async () => {
  const hub = await serve()
  const cache = newCache()
  assert.match(await refusal(hub, cache, { offline: true }), 'is not in')
  assert.is(hub.asked.length, 0)
  const folder = await fetched(hub, cache)
  const asked = downloads(hub.asked).length
  assert.is(asked, Object.keys(repository.files).length)
  assert.is(await fetched(hub, cache), folder)
  assert.is(await fetched(hub, cache, {}, `mill/classes@${commit}`), folder)
  assert.is(downloads(hub.asked).length, asked)
  const before = hub.asked.length
  assert.is(await fetched(hub, cache, { offline: true }), folder)
  assert.is(await fetched(hub, cache, { offline: true }, `mill/classes@${commit}`), folder)
  assert.is(hub.asked.length, before)
})

test('the environment says what it says to Python', async () => {
  const hub = await serve()
  const home = join(scratch, 'home')
  mkdirSync(home)
  writeFileSync(join(home, 'token'), 'hf_of_the_file\n')
  const old = { ...process.env }
  const names = [
    'HF_HUB_OFFLINE',
    'HF_ENDPOINT',
    'HF_HOME',
    'HF_TOKEN',
    'HF_HUB_CACHE',
    'TRANSFORMERS_OFFLINE',
  ]
  const under = async (values: Readonly<Record<string, string>>): Promise<string> => {
    for (const name of names) Reflect.deleteProperty(process.env, name)
    Object.assign(process.env, values)
    try {
      return E.getOrElse((left: string) => left)(await fetchModel('mill/classes', { pause: 0.01 })())
    } finally {
      for (const name of names) Reflect.deleteProperty(process.env, name)
      Object.assign(process.env, old)
    }
  }
  const snapshot = `models--mill--classes/snapshots/${commit}`
  const own = { HF_ENDPOINT: `${hub.url}/`, HF_HOME: home }
  assert.is(await under(own), join(home, 'hub', snapshot))
  assert.is(hub.asked.at(-1)?.token, 'Bearer hf_of_the_file')
  const other = join(scratch, 'other')
  assert.is(await under({ ...own, HF_HUB_CACHE: other, HF_TOKEN: 'hf_said' }), join(other, snapshot))
  assert.is(hub.asked.at(-1)?.token, 'Bearer hf_said')
  const before = hub.asked.length
  for (const name of ['HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE']) {
    assert.is(await under({ ...own, [name]: '1' }), join(home, 'hub', snapshot))
    assert.match(await under({ ...own, [name]: 'yes', HF_HUB_CACHE: newCache() }), 'HF_HUB_OFFLINE')
  }
  assert.is(hub.asked.length, before)
  assert.match(await under({ ...own, HF_ENDPOINT: 'the mill' }), '"the mill" (HF_ENDPOINT) is no address')
})

test('models are loaded and tasks opened by their names', async () => {
  const hub = await serve()
  const cache = newCache()
  await fetched(hub, cache)
  const old = process.env['HF_HUB_CACHE']
  process.env['HF_HUB_CACHE'] = cache
  try {
    assert.ok(E.isRight(await loadModel(BertForSequenceClassification, 'mill/classes')()))
    const [named, plain] = [
      await pipeline('text-classification', 'mill/classes')(),
      await pipeline('text-classification', classes)(),
    ]
    if (E.isLeft(named) || E.isLeft(plain)) throw new Error('not opened')
    assert.equal(await named.right('the old miller'), await plain.right('the old miller'))
    assert.match(
      E.toUnion(await loadModel(BertForSequenceClassification, 'mill/absent')()) as string,
      'is not in',
    )
  } finally {
    if (old === undefined) Reflect.deleteProperty(process.env, 'HF_HUB_CACHE')
    else process.env['HF_HUB_CACHE'] = old
  }
})

test('a folder wins over a name; what is neither stays as it is', async () => {
  assert.equal(await modelFolder('spec/fixtures')(), E.right('spec/fixtures'))
  assert.equal(await modelFolder('./mill/classes')(), E.right('./mill/classes'))
  assert.match(
    E.toUnion(await modelFolder('mill/absent', { offline: true, cache: newCache() })()),
    'HF_HUB_OFFLINE',
  )
})

test('a file that breaks off is gone on with, byte for byte, until it is whole', async () => {
  let breaks = 0
  const hub = await serve((request, response, path) => {
    if (!isFile(path, 'model.safetensors') || breaks === 3) return false
    breaks++
    const begin = Number(/\d+/.exec(request.headers.range ?? '')?.[0] ?? 0)
    const headers =
      request.headers.range === undefined
        ? {}
        : { 'content-range': `bytes ${begin}-${weights.length - 1}/${weights.length}` }
    response.writeHead(begin === 0 ? 200 : 206, { 'content-length': weights.length - begin, ...headers })
    response.write(weights.subarray(begin, begin + 1000), () => response.destroy())
    return true
  })
  isWhole(await fetched(hub, newCache()))
  const ranges = hub.asked.filter(({ path }) => isFile(path, 'model.safetensors')).map(({ range }) => range)
  assert.equal(ranges, [undefined, 'bytes=1000-', 'bytes=2000-', 'bytes=3000-'])
})

test('one that always breaks off is given up, kept, and gone on with later', async () => {
  let broken = true
  const hub = await serve((_, response, path) => {
    if (!broken || !isFile(path, 'model.safetensors')) return false
    if (hub.asked.at(-1)?.range !== undefined) response.destroy()
    else {
      response.writeHead(200, { 'content-length': weights.length })
      response.write(weights.subarray(0, 5000), () => response.destroy())
    }
    return true
  })
  const cache = newCache()
  assert.match(await refusal(hub, cache), `the connection broke off`)
  assert.is(blobs(cache).filter((name) => name.endsWith('.incomplete')).length, 1)
  assert.not.ok(existsSync(join(cache, 'models--mill--classes/refs/main')))
  broken = false
  isWhole(await fetched(hub, cache))
  assert.is(downloads(hub.asked).at(-1)?.path.endsWith('tokenizer_config.json'), true)
  assert.ok(hub.asked.some(({ range }) => range === 'bytes=5000-'))
  assert.is(blobs(cache).filter((name) => name.endsWith('.incomplete')).length, 0)
})

test('a server that knows no ranges is asked from the beginning', async () => {
  let broken = true
  const hub = await serve((_, response, path) => {
    if (!isFile(path, 'model.safetensors')) return false
    response.writeHead(200, { 'content-length': weights.length })
    if (broken) response.write(weights.subarray(0, 5000), () => response.destroy())
    else response.end(weights)
    broken = false
    return true
  })
  isWhole(await fetched(hub, newCache()))
})

test('a process that is killed in the middle leaves what the next one goes on from', async () => {
  let held = true
  const hub = await serve((request, response, path) => {
    if (!held || !isFile(path, 'model.safetensors') || request.headers.range !== undefined) return false
    response.writeHead(200, { 'content-length': weights.length })
    response.write(weights.subarray(0, 7000))
    return true
  })
  const cache = newCache()
  const script = `import { fetchModel } from ${JSON.stringify(new URL('../../../models/hub/index.ts', import.meta.url).href)}
    await fetchModel('mill/classes', { endpoint: ${JSON.stringify(hub.url)}, cache: ${JSON.stringify(cache)}, token: null, offline: false, timeout: 60 })()`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' })
  const ended = new Promise((done) => child.on('close', done))
  await begun(cache, 7000)
  child.kill('SIGKILL')
  await ended
  held = false
  const [left] = blobs(cache).filter((name) => name.endsWith('.incomplete'))
  assert.ok(left?.startsWith(`${sha256(weights)}.`))
  isWhole(await fetched(hub, cache))
  assert.ok(hub.asked.some(({ range }) => range === 'bytes=7000-'))
  assert.equal(
    [...blobs(cache)].sort(),
    Object.entries(repository.files)
      .map(([name, bytes]) => (name === 'model.safetensors' ? sha256(bytes) : gitHash(bytes)))
      .sort(),
  )
})

test('several at once come to one whole model, and fetch each file once', async () => {
  const hub = await serve((request, response, path) => {
    if (!isFile(path, 'model.safetensors')) return false
    response.writeHead(200, { 'content-length': weights.length })
    response.write(weights.subarray(0, 100))
    setTimeout(() => response.end(weights.subarray(100)), 300)
    return request.headers.range === undefined
  })
  const cache = newCache()
  const folders = await Promise.all([0, 1, 2, 3].map(() => fetched(hub, cache)))
  folders.forEach(isWhole)
  assert.is(downloads(hub.asked).filter(({ path }) => isFile(path, 'model.safetensors')).length, 1)
  assert.is(blobs(cache).filter((name) => name.endsWith('.incomplete')).length, 0)
})

test('a download that is ended keeps what it has', async () => {
  const hub = await serve((request, response, path) => {
    if (!isFile(path, 'model.safetensors') || request.headers.range !== undefined) return false
    response.writeHead(200, { 'content-length': weights.length })
    response.write(weights.subarray(0, 6000))
    return true
  })
  const cache = newCache()
  const ends = new AbortController()
  const refused = refusal(hub, cache, { signal: ends.signal })
  await begun(cache, 6000)
  ends.abort()
  assert.match(await refused, 'the download was ended')
  isWhole(await fetched(hub, cache))
  assert.ok(hub.asked.some(({ range }) => range === 'bytes=6000-'))
})

test('contents with another hash are thrown away, whether large or small', async () => {
  for (const name of ['model.safetensors', 'config.json']) {
    const bytes = Uint8Array.from(repository.files[name] as Uint8Array)
    bytes[40] = (bytes[40] as number) ^ 1
    const hub = await serve((request, response, path) => {
      if (!isFile(path, name)) return false
      answerFile(request, response, bytes)
      return true
    })
    const cache = newCache()
    assert.match(await refusal(hub, cache), `${name} is not what the Hub lists`)
    assert.not.ok(
      blobs(cache).some(
        (blob) => blob.endsWith('.incomplete') || blob === gitHash(bytes) || blob === sha256(bytes),
      ),
    )
  }
})

test('what was left by others and is wrong is fetched anew; a blob that was cut, too', async () => {
  const hub = await serve()
  const cache = newCache()
  const blob = join(cache, 'models--mill--classes/blobs', sha256(weights))
  mkdirSync(join(cache, 'models--mill--classes/blobs'), { recursive: true })
  writeFileSync(`${blob}.host-0-0.incomplete`, new Uint8Array(3000).fill(7))
  isWhole(await fetched(hub, cache))
  truncateSync(blob, 100)
  isWhole(await fetched(hub, cache))
})

test('sizes that are not those of the listing', async () => {
  const lie = (size: number): Promise<Hub> =>
    serve((_, response, path) => {
      if (!path.includes('/tree/')) return false
      answerJson(
        response,
        Object.entries(repository.files).map(([name, bytes]) => ({
          ...entryOf(name, bytes),
          ...(name === 'model.safetensors' ? { lfs: { oid: sha256(bytes), size } } : {}),
        })),
      )
      return true
    })
  assert.match(await refusal(await lie(weights.length + 1), newCache()), `the server sends ${weights.length}`)
  assert.match(await refusal(await lie(weights.length - 1), newCache()), `the server sends ${weights.length}`)
  const endless = await serve((_, response, path) => {
    if (!isFile(path, 'model.safetensors')) return false
    response.writeHead(200)
    const more = (): void => void (response.destroyed || response.write(weights, () => setTimeout(more, 1)))
    more()
    return true
  })
  assert.match(await refusal(endless, newCache()), 'the server sends more')
})

test('names that lead out of the folder, and listings that are none', async () => {
  const listing = (entries: unknown): Promise<Hub> =>
    serve((_, response, path) => {
      if (!path.includes('/tree/')) return false
      answerJson(response, entries)
      return true
    })
  const bytes = new Uint8Array(3)
  for (const path of ['../config.json', '/etc/passwd', 'a/../../b', 'C:\\config.json', '\\\\host\\share'])
    assert.match(
      await refusal(await listing([entryOf(path, bytes)]), newCache()),
      'which leads out of its folder',
    )
  const file = entryOf('config.json', bytes)
  for (const oid of ['../../../../home/x', 'abc', 7, null])
    assert.match(await refusal(await listing([{ ...file, oid }]), newCache()), 'without its hash or size')
  for (const size of [-1, 1.5, 1e300, 'many'])
    assert.match(await refusal(await listing([{ ...file, size }]), newCache()), 'without its hash or size')
  assert.match(await refusal(await listing([null]), newCache()), 'no file')
  assert.match(await refusal(await listing({ error: 1 }), newCache()), 'no listing')
  assert.match(await refusal(await listing([]), newCache()), 'has no config.json')
  assert.match(await refusal(await listing([file]), newCache()), 'has no model.safetensors')
  const bin = [file, entryOf('pytorch_model.bin', bytes)]
  assert.match(await refusal(await listing(bin), newCache()), 'which only Python can read; convert it with')
})

test('a commit that is none, and answers that are no JSON', async () => {
  const info = (body: string): Promise<Hub> =>
    serve((_, response, path) => {
      if (!path.includes('/revision/')) return false
      response.end(body)
      return true
    })
  assert.match(
    await refusal(await info(JSON.stringify({ sha: '../../x' })), newCache()),
    'which is no commit',
  )
  assert.match(await refusal(await info('<html>'), newCache()), 'no JSON')
  assert.match(await refusal(await info('null'), newCache()), 'no listing')
})

test('a listing without an end', async () => {
  const hub = await serve((_, response, path) => {
    if (!path.includes('/tree/')) return false
    response.writeHead(200, { link: `<${hub.url}${path}>; rel="next"` })
    response.end(
      JSON.stringify(Array.from({ length: 5000 }, (_, i) => ({ type: 'directory', path: `${i}` }))),
    )
    return true
  })
  assert.match(await refusal(hub, newCache()), 'lists more than')
})

test('a token is shown to the Hub, and to nobody that it leads to', async () => {
  const store = await serve((request, response) => {
    answerFile(request, response, weights)
    return true
  })
  const hub = await serve((_, response, path) => {
    if (!isFile(path, 'model.safetensors')) return false
    response.writeHead(302, { location: `${store.url}/large/${sha256(weights)}?signed=1` })
    response.end()
    return true
  })
  isWhole(await fetched(hub, newCache(), { token: 'a secret' }))
  assert.ok(hub.asked.every(({ token }) => token === 'Bearer a secret'))
  assert.equal(
    store.asked.map(({ token }) => token),
    [undefined],
  )
  // Nor to whom a listing says to ask for its next page.
  const pages = await serve((_, response, path) => {
    if (!path.includes('/tree/')) return false
    response.writeHead(200, { link: `<${store.url}/next>; rel="next"` })
    response.end('[]')
    return true
  })
  await refusal(pages, newCache(), { token: 'a secret' })
  assert.is(store.asked.length, 2)
  assert.is(store.asked[1]?.token, undefined)
})

test('answers of the Hub in words', async () => {
  const says = async (
    status: number,
    headers: Readonly<Record<string, string>> = {},
    options: HubOptions = {},
  ): Promise<string> => {
    const hub = await serve((_, response) => {
      refuse(response, status, headers)
      return true
    })
    const sentence = await refusal(hub, newCache(), { tries: 2, ...options })
    return sentence.replaceAll(hub.url, 'HUB')
  }
  assert.is(
    await says(401, { 'x-error-code': 'RepoNotFound' }),
    'mill/classes: HUB has no model mill/classes, or keeps it private: that takes a token (HF_TOKEN)',
  )
  assert.match(await says(401, {}, { token: 'hf_x' }), 'none that the token (HF_TOKEN) may read')
  assert.match(await says(404), 'has no model mill/classes')
  assert.match(await says(403, { 'x-error-code': 'GatedRepo' }), 'accept its conditions at HUB/mill/classes')
  assert.match(await says(404, { 'x-error-code': 'RevisionNotFound' }), 'has no revision main')
  assert.match(await says(429), 'is asked too often (429)')
  assert.match(await says(429, { 'retry-after': '3600' }), 'asks to be left alone for 3600 s (429)')
  assert.match(await says(500), 'fails (500)')
  assert.match(await says(418), 'refuses (418)')
})

test('a Hub that is busy or fails is asked again, after as long as it says', async () => {
  for (const status of [429, 500, 503]) {
    let left = 2
    const hub = await serve((_, response) => {
      if (left === 0) return false
      left--
      refuse(response, status, { 'retry-after': '1' })
      return true
    })
    const began = performance.now()
    isWhole(await fetched(hub, newCache()))
    assert.ok(performance.now() - began > 1900, `${status}: ${performance.now() - began} ms`)
  }
})

test('one that hangs is not waited for, before its answer nor within it', async () => {
  const mute = await serve(() => true)
  assert.match(await refusal(mute, newCache(), { timeout: 0.2, tries: 2 }), 'cannot be reached: no answer')
  const listing = await serve((_, response, path) => {
    if (!path.includes('/tree/')) return false
    response.writeHead(200, { 'content-type': 'application/json' })
    response.write('[')
    return true
  })
  assert.match(await refusal(listing, newCache(), { timeout: 0.2 }), 'cannot be reached: no more comes')
  const stuck = await serve((request, response, path) => {
    if (!isFile(path, 'model.safetensors') || request.headers.range !== undefined) return false
    response.writeHead(200, { 'content-length': weights.length })
    response.write(weights.subarray(0, 4000))
    return true
  })
  isWhole(await fetched(stuck, newCache(), { timeout: 1 }))
  assert.ok(stuck.asked.some(({ range }) => range === 'bytes=4000-'))
})

test('where nobody answers the cache does, and it is said', async () => {
  const hub = await serve()
  const cache = newCache()
  const folder = await fetched(hub, cache)
  await hub.close()
  const notes: string[] = []
  assert.is(await fetched(hub, cache, { note: (sentence) => void notes.push(sentence) }), folder)
  assert.is(notes.length, 1)
  assert.match(notes[0] as string, 'cannot be reached')
  assert.match(await refusal(hub, newCache()), 'cannot be reached')
})

test('a model in several files, and nothing else of several', async () => {
  const bytes = new Uint8Array(20)
  const wanted = [
    'config.json',
    'model-00001-of-00002.safetensors',
    'model-00002-of-00002.safetensors',
    'model.safetensors.index.json',
  ]
  const others = [
    'consolidated-00001-of-00002.safetensors',
    'model-00001-of-00002.bin',
    'optimizer.safetensors',
  ]
  const files = Object.fromEntries([...wanted, ...others].map((name, i) => [name, bytes.with(0, i)]))
  const hub = await serve(undefined, { 'mill/sharded': { commit, files } })
  assert.equal(readdirSync(await fetched(hub, newCache(), {}, 'mill/sharded')).sort(), wanted)
})

test('texts that are no names', async () => {
  for (const name of [
    '',
    'a/b/c',
    '../x',
    'a b',
    'a--b',
    '.a',
    'a/',
    '/a',
    'a@',
    'a@../x',
    'a@b@c',
    'a@x/../y',
    'ä',
  ])
    assert.match(E.toUnion(await fetchModel(name)()), 'is no name of a model on the Hub')
})

test.run()
