// Canonical encoding, entries and tree: docs/protocols/custody-leaf.md, RFC 6962 section 2.1, RFC 9162 section 2.1.3.2.

import { FormatError, compare, concat, equal, utf8 } from './bytes.js'
import { sha256 } from './hashing.js'

const MOST_DEPTH = 32

const frame = (tag, payload) => {
  const head = new Uint8Array(9)
  head[0] = tag.charCodeAt(0)
  new DataView(head.buffer).setBigUint64(1, BigInt(payload.length))
  return concat([head, payload])
}

export const encode = (value, depth = 0) => {
  if (depth > MOST_DEPTH) throw new FormatError('A value is nested too deep')
  if (value === null) return frame('N', new Uint8Array())
  if (typeof value === 'boolean') return frame('B', Uint8Array.of(value ? 1 : 0))
  if (typeof value === 'number') return frame('I', utf8(String(value)))
  if (typeof value === 'string') return frame('S', utf8(value))
  if (value instanceof Uint8Array) return frame('Y', value)
  if (Array.isArray(value)) return frame('L', concat(value.map((item) => encode(item, depth + 1))))
  const members = [...value].map(([name, item]) => [utf8(name), item]).sort((one, other) => compare(one[0], other[0]))
  return frame('M', concat(members.flatMap(([name, item]) => [frame('S', name), encode(item, depth + 1)])))
}

// The leaf entry of a disclosed event: 32 bytes.
export const entryOf = ({ fields, salts, erased }) => {
  const commitments = new Map(erased)
  for (const [name, value] of fields) {
    if (!salts.has(name) || erased.has(name)) throw new FormatError(`The field ${name} has no salt, or was erased too`)
    commitments.set(name, sha256(concat([encode(salts.get(name)), encode(name), encode(value)])))
  }
  if (salts.size !== fields.size || [...commitments.values()].some((value) => value.length !== 32)) {
    throw new FormatError('Fields, salts and commitments do not fit each other')
  }
  return sha256(encode(commitments))
}

export const leafHash = (entry) => sha256(concat([Uint8Array.of(0), entry]))

const nodeHash = (left, right) => sha256(concat([Uint8Array.of(1), left, right]))

// Whether the leaf stands at `index` in the tree of `size` leaves (both BigInt) with this root.
export const stands = (leaf, index, size, path, root) => {
  if (index < 0n || index >= size || path.length > 63) return false
  let position = index
  let last = size - 1n
  let node = leaf
  for (const sibling of path) {
    if (last === 0n) return false
    if (position & 1n || position === last) {
      node = nodeHash(sibling, node)
      while (!(position & 1n) && position) {
        position >>= 1n
        last >>= 1n
      }
    } else {
      node = nodeHash(node, sibling)
    }
    position >>= 1n
    last >>= 1n
  }
  return last === 0n && equal(node, root)
}
