// Compiles frontend/ into src/bluelamp/web/static/vendor/, each file with a .gz twin that the server sends as it is.

import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { basename, dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'

import { build } from 'esbuild'
import { compile } from 'sass'

import { verifierPage } from './verify/build.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const modules = join(here, '..', 'node_modules')
const target = join(here, '..', 'src', 'bluelamp', 'web', 'static', 'vendor')

const styles = () =>
  compile(join(here, 'styles', 'bluelamp.scss'), {
    loadPaths: [modules],
    quietDeps: true,
    style: 'compressed'
  }).css

const script = async (entry) => {
  const result = await build({
    bundle: true,
    entryPoints: [join(here, 'scripts', entry)],
    format: 'esm',
    legalComments: 'none',
    minify: true,
    nodePaths: [modules],
    target: 'es2020',
    write: false
  })
  return result.outputFiles[0].text
}

const copied = async (...path) => {
  const text = await readFile(join(modules, ...path), 'utf8')
  // The map is not shipped, so a browser's developer tools should not ask for it.
  return text.replace(/\n?\/\/# sourceMappingURL=\S*\s*$/, '\n')
}

const files = {
  'adding.js': await script('adding.js'),
  'bluelamp.css': styles(),
  'bluelamp.js': await script('bluelamp.js'),
  'htmx.min.js': await copied('htmx.org', 'dist', 'htmx.min.js'),
  'hx-sse.min.js': await copied('htmx.org', 'dist', 'ext', 'hx-sse.min.js')
}

await rm(target, { recursive: true, force: true })
await mkdir(target, { recursive: true })
for (const [name, text] of Object.entries(files)) {
  const gzipped = gzipSync(text, { level: 9 })
  await writeFile(join(target, name), text)
  await writeFile(join(target, `${name}.gz`), gzipped)
  console.log(`${name.padEnd(16)} ${String(Buffer.byteLength(text)).padStart(7)} bytes, ${gzipped.length} gzipped`)
}

// For printed papers; the licence asks to travel with the fonts.
const fonts = join(modules, 'dejavu-fonts-ttf')
await mkdir(join(target, 'fonts'))
for (const file of ['ttf/DejaVuSans.ttf', 'ttf/DejaVuSans-Bold.ttf', 'LICENSE']) {
  await copyFile(join(fonts, file), join(target, 'fonts', basename(file)))
}

// Not below static/: it is shipped inside of packages.
const page = await verifierPage()
await writeFile(join(here, '..', 'src', 'bluelamp', 'verify', 'verify.html'), page)
console.log(`verify.html      ${String(Buffer.byteLength(page)).padStart(7)} bytes`)
