// Strict reading of a package's ZIP file, as bluelamp.verify.zipreader does it: every byte has one meaning.
// APPNOTE.TXT 6.3 sections 4.3 to 4.5; docs/protocols/package.md.

import { FormatError, concat, equal } from './bytes.js'
import { MOST_FILES, MOST_PATH, checkPath, checkPaths } from './files.js'

const MOST_DIRECTORY_BYTES = 16 * 2 ** 20
const END = 22
const LOCATOR = 20
const END_64 = 56
const CENTRAL = 46
const LOCAL = 30
const FULL_16 = 0xffff
const FULL_32 = 0xffffffff
const DESCRIPTOR = 0x0008
const KNOWN_FLAGS = 0x0808
const VERSION = 20
const VERSION_64 = 45

export class ZipProblem extends Error {
  constructor (code, where = '', detail = '') {
    super(detail)
    Object.assign(this, { code, where })
  }
}

// Little-endian numbers of a header, one after the other. A number beyond 2**53 fits nothing and becomes Infinity.
class Fields {
  constructor (bytes) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.at = 0
  }

  next (size) {
    const at = this.at
    this.at += size
    if (size === 2) return this.view.getUint16(at, true)
    if (size === 4) return this.view.getUint32(at, true)
    const value = Number(this.view.getBigUint64(at, true))
    return Number.isSafeInteger(value) ? value : Infinity
  }

  all (...sizes) {
    return sizes.map((size) => this.next(size))
  }
}

// `read(offset, length)` returns bytes, fewer at the end of the file. Returns { path, offset, size } in the file's order.
export const readEntries = async (read, size) => {
  const [count, begin, end] = await directoryBounds(read, size)
  const entries = readDirectory(await read(begin, end - begin), count)
  const paths = checkNames(entries)
  let at = 0
  const found = []
  const ordered = entries.map((entry, number) => ({ entry, path: paths[number] }))
  for (const { entry, path } of ordered.sort((one, other) => one.entry.headerAt - other.entry.headerAt)) {
    if (entry.headerAt !== at) throw new ZipProblem('zip-layout', entry.shown)
    const place = await readLocal(read, entry, begin)
    at = place.end
    found.push({ path, offset: place.dataAt, size: entry.size })
  }
  if (at !== begin) throw new ZipProblem('zip-layout')
  return found
}

const directoryBounds = async (read, size) => {
  if (size < END) throw new ZipProblem('zip-end')
  let at = size - END
  const fields = new Fields(await read(at, END))
  const [signature, disk, disk2, here, total, bytes, first, comment] = fields.all(4, 2, 2, 2, 2, 4, 4, 2)
  if (signature !== 0x06054b50 || disk || disk2 || here !== total || comment) throw new ZipProblem('zip-end')
  let [count, length, begin] = [total, bytes, first]
  if (at >= LOCATOR + END_64 && new Fields(await read(at - LOCATOR, 4)).next(4) === 0x07064b50) {
    at -= LOCATOR + END_64
    ;[count, length, begin] = await end64(read, at, [count, length, begin])
  }
  if (begin + length !== at) throw new ZipProblem('zip-directory')
  if (!(count > 0) || count > MOST_FILES || length > MOST_DIRECTORY_BYTES) throw new ZipProblem('zip-directory')
  return [count, begin, at]
}

const end64 = async (read, at, short) => {
  const record = new Fields(await read(at, END_64)).all(4, 8, 2, 2, 4, 4, 8, 8, 8, 8)
  const locator = new Fields(await read(at + END_64, LOCATOR)).all(4, 4, 8, 4)
  const [here, ...long] = record.slice(6)
  const expected = [0x06064b50, END_64 - 12, VERSION_64, VERSION_64, 0, 0]
  if (!same(locator.slice(1), [0, at, 1]) || !same(record.slice(0, 6), expected)) throw new ZipProblem('zip-end')
  const fulls = [FULL_16, FULL_32, FULL_32]
  if (here !== long[0] || short.some((value, number) => value !== fulls[number] && value !== long[number])) {
    throw new ZipProblem('zip-end')
  }
  return long
}

const readDirectory = (content, count) => {
  const entries = []
  let at = 0
  for (let number = 0; number < count; number += 1) {
    if (at + CENTRAL > content.length || new Fields(content.subarray(at)).next(4) !== 0x02014b50) {
      throw new ZipProblem('zip-directory')
    }
    const { entry, end } = readCentral(content, at)
    if (entries.length && entry.attributes !== entries[0].attributes) throw wrong(entry)
    entries.push(entry)
    at = end
  }
  if (at !== content.length) throw new ZipProblem('zip-directory')
  return entries
}

const readCentral = (content, at) => {
  const fields = new Fields(content.subarray(at))
  const [, madeBy, version, flags, method] = fields.all(4, 2, 2, 2, 2)
  const moment = content.subarray(at + 12, at + 16)
  const [, crc, packed, size] = fields.all(4, 4, 4, 4)
  const [nameLength, extraLength, comment, disk, internal, attributes, headerAt] = fields.all(2, 2, 2, 2, 2, 4, 4)
  const extraAt = at + CENTRAL + nameLength
  const end = extraAt + extraLength
  if (end > content.length) throw new ZipProblem('zip-directory')
  const name = content.subarray(at + CENTRAL, extraAt)
  const short = [size, packed, headerAt]
  const wanted = short.filter((value) => value === FULL_32).length
  const extra = new Fields(content.subarray(extraAt, end))
  let exact = short
  let known = extraLength === 0
  if (wanted && extraLength === 4 + 8 * wanted && same(extra.all(2, 2), [1, 8 * wanted])) {
    exact = short.map((value) => (value === FULL_32 ? extra.next(8) : value))
    known = true
  }
  const entry = { name, version, flags, moment, crc, size: exact[0], headerAt: exact[2], attributes, is64: wanted > 0 }
  entry.shown = Array.from(name.subarray(0, 2 * MOST_PATH), (byte) => (byte >= 0x20 && byte <= 0x7e ? String.fromCharCode(byte) : '?')).join('')
  const type = (attributes >>> 16) & 0o170000
  if (
    !known || comment || method || flags & ~KNOWN_FLAGS || exact[0] !== exact[1] ||
    disk || internal || attributes & FULL_16 || (type !== 0 && type !== 0o100000) ||
    (version !== VERSION && version !== VERSION_64) || madeBy !== (0x0300 | version)
  ) throw wrong(entry)
  return { entry, end }
}

const checkNames = (entries) => {
  const tops = new Set()
  const paths = entries.map((entry) => {
    const name = String.fromCharCode(...entry.name.subarray(0, 3 * MOST_PATH))
    const slash = name.indexOf('/')
    try {
      tops.add(checkPath(name.slice(0, Math.max(slash, 0))))
      if (tops.size > 1) throw new FormatError('There is more than one top folder')
      return checkPath(name.slice(slash + 1))
    } catch (error) {
      throw named(error, entry.shown)
    }
  })
  try {
    checkPaths(paths)
  } catch (error) {
    throw named(error, '')
  }
  return paths
}

const named = (error, where) => (error instanceof FormatError ? new ZipProblem('zip-name', where, error.message) : error)

// Where the entry's data begin, and where what belongs to it ends: data and descriptor.
const readLocal = async (read, entry, limit) => {
  const header = await read(entry.headerAt, LOCAL)
  if (header.length !== LOCAL) throw wrong(entry)
  const fields = new Fields(header)
  const [signature, version, flags, method] = fields.all(4, 2, 2, 2)
  const [, crc, packed, size, nameLength, extraLength] = fields.all(4, 4, 4, 4, 2, 2)
  const rest = await read(entry.headerAt + LOCAL, nameLength + extraLength)
  const extra = rest.subarray(nameLength)
  const is64 = extra.length > 0
  const described = Boolean(flags & DESCRIPTOR)
  const [toldCrc, toldSize] = described ? [0, 0] : [entry.crc, entry.size]
  const toldShort = is64 ? FULL_32 : toldSize
  if (
    signature !== 0x04034b50 || flags !== entry.flags || method !== 0 ||
    !equal(rest.subarray(0, nameLength), entry.name) || !equal(header.subarray(10, 14), entry.moment) ||
    crc !== toldCrc || packed !== toldShort || size !== toldShort ||
    (is64 && !equal(extra, packedNumbers([2, 1], [2, 16], [8, toldSize], [8, toldSize]))) ||
    version !== (is64 ? VERSION_64 : VERSION) || entry.version !== (is64 || entry.is64 ? VERSION_64 : VERSION)
  ) throw wrong(entry)
  const dataAt = entry.headerAt + LOCAL + nameLength + extraLength
  let end = dataAt + entry.size
  if (described && end <= limit) {
    const width = is64 ? 8 : 4
    if (!is64 && entry.size > FULL_32) throw wrong(entry)
    const descriptor = packedNumbers([4, 0x08074b50], [4, entry.crc], [width, entry.size], [width, entry.size])
    if (!equal(await read(end, descriptor.length), descriptor)) throw wrong(entry)
    end += descriptor.length
  }
  if (end > limit) throw wrong(entry)
  return { dataAt, end }
}

const wrong = (entry) => new ZipProblem('zip-entry', entry.shown)

const same = (one, other) => one.every((value, number) => value === other[number])

const packedNumbers = (...pairs) => concat(pairs.map(([size, value]) => {
  const view = new DataView(new ArrayBuffer(8))
  view.setBigUint64(0, Number.isFinite(value) ? BigInt(value) : 2n ** 64n - 1n, true)
  return new Uint8Array(view.buffer, 0, size)
}))
