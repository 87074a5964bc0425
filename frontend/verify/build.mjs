// verify.html: one file with everything inlined, so that it works from a file:// page without a network.

import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { build } from 'esbuild'

const here = dirname(fileURLToPath(import.meta.url))

const bundle = async (entry, define) => {
  const result = await build({
    bundle: true,
    charset: 'ascii',
    define,
    entryPoints: [join(here, entry)],
    format: 'iife',
    legalComments: 'none',
    minify: true,
    nodePaths: [join(here, '..', '..', 'node_modules')],
    target: 'es2022',
    write: false
  })
  // Neither may end the element that it stands in, or open a comment there.
  return result.outputFiles[0].text.trim().replaceAll('</', '<\\/').replaceAll('<!--', '<\\!--')
}

// The MIT License asks that its notice goes with every copy, and this page is copied into every package.
const notices = async () => {
  const texts = ['hash-wasm', '@noble/ed25519'].map(async (name) => {
    const text = await readFile(join(here, '..', '..', 'node_modules', name, 'LICENSE'), 'utf8')
    return `${name}\n\n${text.trim()}`
  })
  return (await Promise.all(texts)).join('\n\n').replaceAll('--', '- -')
}

const hash = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

export const verifierPage = async () => {
  const worker = await bundle('worker.js', {})
  const script = await bundle('page.js', { WORKER_SOURCE: JSON.stringify(worker) })
  const style = (await readFile(join(here, 'page.css'), 'utf8')).replace(/\/\*[^]*?\*\//g, '').replace(/\n\s*/g, '\n').trim()
  const policy = [
    "default-src 'none'",
    `script-src ${hash(script)} 'wasm-unsafe-eval'`,
    `style-src ${hash(style)}`,
    'worker-src blob:',
    "base-uri 'none'",
    "form-action 'none'"
  ].join('; ')
  const parts = { policy, script, style, notices: await notices() }
  return (await readFile(join(here, 'page.html'), 'utf8')).replace(/{{(\w+)}}/g, (_, name) => parts[name])
}
