import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { published } from '../../scripts/manifest.ts'

test('the published manifest names dist, only what is built, and nothing of development', () => {
  const manifest = {
    name: 'pullback',
    scripts: { test: 'x' },
    devDependencies: { uvu: '1' },
    overrides: {},
    allowScripts: {},
    dependencies: { 'fp-ts': '2' },
    exports: { '.': './core/index.ts', './nn': './nn/index.ts', './package.json': './package.json' },
  }
  assert.equal(
    published(manifest, (path) => !path.includes('nn/')),
    {
      name: 'pullback',
      dependencies: { 'fp-ts': '2' },
      exports: {
        '.': { types: './dist/core/index.d.ts', default: './dist/core/index.js' },
        './package.json': './package.json',
        './browser/*': './dist/browser/*',
      },
    },
  )
  assert.equal(
    published(manifest, (path) => path.includes('core/'))['exports'],
    { '.': { types: './dist/core/index.d.ts', default: './dist/core/index.js' } },
    'what was not bundled for browsers is not promised',
  )
})

test.run()
