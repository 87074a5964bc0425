// The files of a package and what they say, as bluelamp.formats.package reads them (docs/protocols/package.md).

import { FormatError, fromBase64, fromHex, utf8 } from './bytes.js'
import { readJson } from './json.js'
import { entryOf } from './leaf.js'
import { parseCheckpoint, parseLogKey, parseProof, parseWitnessKey } from './notes.js'

export const FORMAT = 'bluelamp-package-1'
export const MANIFEST = 'manifest-sha256.txt'
export const TAG_MANIFEST = 'tagmanifest-sha256.txt'
export const PACKAGE = 'package.json'
export const CUSTODY = 'custody.json'
export const SEAL = 'seal.json'
export const BAGIT = 'bagit.txt'
export const BAG_INFO = 'bag-info.txt'
export const DATA = 'data/'
export const TAG_FILES = [BAGIT, BAG_INFO, MANIFEST, PACKAGE, CUSTODY, 'read-me-first.html', 'verify.html']
export const PAPERS = ['data/exhibit-label.pdf', 'data/custody-report.pdf', 'data/custody-report.json']
export const BAGIT_TEXT = 'BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n'

export const MOST_FILES = 10_000
export const MOST_PATH = 240
export const MOST_MANIFEST_BYTES = 16 * 2 ** 20
export const MOST_INFO_BYTES = 4 * 2 ** 20
export const MOST_CUSTODY_BYTES = 64 * 2 ** 20
export const MOST_SEAL_BYTES = 2 ** 20
const MOST_KEYS = 20
const MOST_HASHES = 63
const MOST_EVENTS = 100_000
const MOST_FIELDS = 200
const MOST_TIMESTAMP_BYTES = 64 * 1024
const LINES = ['force', 'exhibit', 'case', 'purpose', 'recipient']

const PART = /^[A-Za-z0-9_([](?:[A-Za-z0-9 !#&'()+,\-.=@[\]_]{0,118}[A-Za-z0-9!#&'()+,\-=@[\]_])?$/
const DEVICE = /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?$/i
const DIGEST = /^[0-9a-f]{64}$/
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const MOMENT = /^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]{1,6})?Z$/
const UNREADABLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/

const check = (good, message) => {
  if (!good) throw new FormatError(message)
}

export const checkPath = (path) => {
  const good = path.length <= MOST_PATH && path.split('/').every((part) => PART.test(part) && !DEVICE.test(part))
  check(good, `${path.slice(0, MOST_PATH)} cannot be the name of a file in a package`)
  return path
}

export const checkPaths = (paths) => {
  const files = new Set()
  const folders = new Set()
  for (const path of paths) {
    const lower = path.toLowerCase()
    check(!files.has(lower), `${path} stands in the package twice`)
    files.add(lower)
    for (let at = lower.indexOf('/'); at >= 0; at = lower.indexOf('/', at + 1)) folders.add(lower.slice(0, at))
  }
  for (const folder of folders) check(!files.has(folder), `${folder} is both a file and a folder`)
}

// SHA-256 by path.
export const readManifest = (bytes) => {
  check(bytes.length <= MOST_MANIFEST_BYTES, 'The manifest is too large')
  const lines = new TextDecoder('latin1').decode(bytes).split('\n')
  check(lines.pop() === '', 'The manifest does not end with a newline')
  const hashes = new Map()
  for (const line of lines) {
    const found = /^([0-9a-f]{64}) {2}([ -~]+)$/.exec(line)
    check(found && !hashes.has(found[2]), `The manifest's line ${line.slice(0, 300)} is not a hash and a new path`)
    hashes.set(checkPath(found[2]), found[1])
  }
  return hashes
}

const exact = (value, names, what) => {
  check(value instanceof Map && value.size === names.length && names.every((name) => value.has(name)), `${what} has other fields`)
  return Object.fromEntries(names.map((name) => [name, value.get(name)]))
}

const object = (bytes, file, most, names, format) => {
  const plain = exact(readJson(bytes, file, most), ['format', ...names], file)
  check(plain.format === format, `The format of ${file} is not ${format}`)
  return plain
}

const list = (value, what, most) => {
  check(Array.isArray(value) && value.length <= most, `The ${what} are not a list of at most ${most}`)
  return value
}

const text = (value, what, pattern = /^/) => {
  check(typeof value === 'string' && pattern.test(value), `The ${what} is malformed`)
  return value
}

const whole = (value, what) => {
  check(typeof value === 'number' && value >= 0, `The ${what} is not a whole number`)
  return value
}

const line = (value, what) => {
  const readable = typeof value === 'string' && value.length <= 2000 && [...value].length <= 1000 && !UNREADABLE.test(value)
  check(readable && !value.startsWith(' ') && !value.endsWith(' '), `The ${what} is not one readable line`)
  return value
}

const moment = (value) => {
  const found = typeof value === 'string' ? MOMENT.exec(value) : null
  check(found, 'The time of the package is malformed')
  const [year, month, day, hour, minute, second] = found.slice(1).map(Number)
  const days = new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate()
  check(year && month >= 1 && month <= 12 && day >= 1 && day <= days && hour < 24 && minute < 60 && second < 60, 'There is no such time')
  return value
}

export const parseInfo = (bytes) => {
  const info = object(bytes, PACKAGE, MOST_INFO_BYTES, ['id', 'made_at', ...LINES, 'media'], FORMAT)
  text(info.id, 'package’s identifier', UUID)
  moment(info.made_at)
  for (const name of LINES) line(info[name], name)
  check(info.force, 'A package says which force made it')
  info.media = list(info.media, 'media', MOST_FILES).map(parseMedium)
  check(new Set(info.media.map(({ file }) => file)).size === info.media.length, 'package.json names a file twice')
  return info
}

const parseMedium = (item) => {
  const medium = exact(item, ['file', 'recording', 'sha256', 'size', 'kind'], 'A medium')
  text(medium.recording, 'recording’s identifier', UUID)
  text(medium.sha256, 'medium’s hash', DIGEST)
  whole(medium.size, 'medium’s size')
  checkPath(text(medium.file, 'medium’s file', /^data\//))
  check(!PAPERS.includes(medium.file), 'A medium is none of the package’s papers')
  check(medium.kind === 'original' || medium.kind === 'copy', 'A medium is an original or a copy')
  return medium
}

// The content that bag-info.txt must have; `sizes` are those of the files below data/.
export const bagInfo = (info, sizes) =>
  `Source-Organization: ${info.force}\nExternal-Identifier: ${info.id}\nBagging-Date: ${info.made_at.slice(0, 10)}\n` +
  `Payload-Oxum: ${sizes.reduce((sum, size) => sum + size, 0)}.${sizes.length}\n`

const fields = (value, what) => {
  check(value instanceof Map && value.size <= MOST_FIELDS, `The ${what} are not an object of at most ${MOST_FIELDS} members`)
  return value
}

const byteFields = (value, what, least) => {
  const found = new Map()
  for (const [name, digits] of fields(value, what)) {
    check(typeof digits === 'string' && digits.length >= 2 * least && /^(?:[0-9a-f]{2})+$/.test(digits), `The ${what} of ${name} are not hexadecimal`)
    found.set(name, fromHex(digits))
  }
  return found
}

const parseEvent = (document) => {
  const plain = exact(document, ['fields', 'salts', 'erased'], 'An event')
  const event = {
    fields: fields(plain.fields, 'fields'),
    salts: byteFields(plain.salts, 'salts', 16),
    erased: byteFields(plain.erased, 'commitments', 32)
  }
  return { ...event, entry: entryOf(event) }
}

const parseProven = (document) => {
  const plain = exact(document, ['index', 'path', 'event'], 'An event with its proof')
  return {
    index: BigInt(whole(plain.index, 'event’s index')),
    path: list(plain.path, 'path', MOST_HASHES).map((value) => fromBase64(text(value, 'hash'), 'A hash', 32)),
    event: parseEvent(plain.event)
  }
}

export const parseCustody = (bytes) => {
  const plain = object(bytes, CUSTODY, MOST_CUSTODY_BYTES, ['checkpoint', 'keys', 'witnesses', 'timestamp', 'events'], 'bluelamp-custody-1')
  const keys = list(plain.keys, 'keys', MOST_KEYS).map((key) => parseLogKey(text(key, 'key')))
  const witnesses = list(plain.witnesses, 'witnesses', MOST_KEYS).map((key) => parseWitnessKey(text(key, 'key')))
  const distinct = new Set([...keys, ...witnesses].map((key) => key.text)).size === keys.length + witnesses.length
  check(distinct && new Set(keys.map((key) => key.name)).size === 1, 'custody.json names each key once, and keys of one log only')
  const events = list(plain.events, 'events', MOST_EVENTS).map(parseProven)
  check(events.every(({ index }, at) => at === 0 || events[at - 1].index < index), 'The events are not in the order of the log')
  return { checkpoint: text(plain.checkpoint, 'checkpoint'), keys, witnesses, events, timestamp: parseTimestamp(plain.timestamp) }
}

// By an outside authority (RFC 3161), of an earlier checkpoint. Only its form is looked at: this page does not check it.
const parseTimestamp = (document) => {
  if (document === null) return null
  const plain = exact(document, ['checkpoint', 'path', 'response'], 'A timestamp')
  const stamped = text(plain.checkpoint, 'stamped checkpoint')
  check(/^[\n -~]*$/.test(stamped), 'The stamped checkpoint is not printable ASCII')
  list(plain.path, 'path of the timestamp', MOST_HASHES).forEach((value) => fromBase64(text(value, 'hash'), 'A hash', 32))
  const { length } = fromBase64(text(plain.response, 'timestamp'), 'A timestamp')
  check(length > 0 && length <= MOST_TIMESTAMP_BYTES, 'A timestamp has at most 64 KiB')
  return { size: parseCheckpoint(stamped).size }
}

// The seal's note: which package, and the SHA-256 of its tag manifest.
export const parseSealNote = (content) => {
  const [format, id, hash, ...rest] = content.split('\n')
  check(format === FORMAT && rest.length === 1 && rest[0] === '', 'The seal’s note is not three lines')
  return { package: text(id, 'package’s identifier', UUID), hash: text(hash, 'tag manifest’s hash', DIGEST) }
}

export const parseSeal = (bytes) => {
  const plain = object(bytes, SEAL, MOST_SEAL_BYTES, ['note', 'event', 'proof'], 'bluelamp-seal-1')
  return { note: text(plain.note, 'note'), event: parseEvent(plain.event), proof: parseProof(text(plain.proof, 'proof')) }
}

export const same = (bytes, content) => {
  const expected = utf8(content)
  return bytes.length === expected.length && bytes.every((byte, at) => byte === expected[at])
}
