/** npm run playground: builds the page and serves it here, so that its memory may be shared among threads. */
import { createServer } from 'node:http'
import { buildPage } from './bundle.ts'

const port = Number(process.env['PORT'] ?? 5173)
const files = await buildPage()

const server = createServer((request, response) => {
  const file = files[new URL(request.url ?? '/', 'http://localhost').pathname]
  response.writeHead(file === undefined ? 404 : 200, {
    'content-type': file?.type ?? 'text/plain',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-embedder-policy': 'require-corp',
  })
  response.end(file?.body ?? 'there is no such page')
})
server.on('error', (error: NodeJS.ErrnoException) => {
  const taken = error.code === 'EADDRINUSE'
  console.error(
    taken ? `port ${port} is taken; name another one: PORT=8080 npm run playground` : error.message,
  )
  process.exitCode = 1
})
server.listen(port, () => console.log(`the playground is at http://localhost:${port}/`))
