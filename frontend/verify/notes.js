// Signed notes, keys, checkpoints and log proofs: C2SP signed-note, tlog-checkpoint, tlog-cosignature, tlog-proof.

import { Point } from '@noble/ed25519'

import { FormatError, concat, equal, fromBase64, hex, utf8 } from './bytes.js'
import { sha256, sha512 } from './hashing.js'

const LOG = 1
const WITNESS = 4
const MOST_NOTE = 1_000_000
const MOST_SIGNATURES = 100
const MOST_HASHES = 63
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n

const littleEndian = (bytes) => BigInt(`0x${hex(bytes.slice().reverse())}`)

// RFC 8032 section 5.1.7 without the cofactor, as OpenSSL does it: the command must not judge otherwise than the page.
const signatureIsGood = (key, signature, message) => {
  if (signature.length !== 64) return false
  const scalar = littleEndian(signature.subarray(32))
  if (scalar >= ORDER) return false
  let point
  try {
    point = Point.fromBytes(key, true)
  } catch {
    return false
  }
  const challenge = littleEndian(sha512(concat([signature.subarray(0, 32), key, message]))) % ORDER
  const expected = Point.BASE.multiplyUnsafe(scalar).subtract(point.multiplyUnsafe(challenge))
  return equal(expected.toBytes(), signature.subarray(0, 32))
}

const checkName = (name) => {
  if (!/^[!-*,-~]+$/.test(name)) throw new FormatError('A key has no name in printable ASCII')
}

const parseKey = (text, kind) => {
  const [name, hash] = text.split('+', 2)
  if (hash === undefined || text[name.length + 1 + hash.length] !== '+') throw new FormatError('A key is written name+hash+key')
  checkName(name)
  const raw = fromBase64(text.slice(name.length + hash.length + 2), 'A key', 33)
  const known = sha256(concat([utf8(`${name}\n`), raw])).subarray(0, 4)
  if (raw[0] !== kind || hex(known) !== hash) throw new FormatError('A key is of another kind, or its hash is not its own')
  return { text, name, hash: known, key: raw.subarray(1) }
}

export const parseLogKey = (text) => parseKey(text, LOG)
export const parseWitnessKey = (text) => parseKey(text, WITNESS)

// A note's text, and its signature lines as { name, hash, blob }.
export const splitNote = (note) => {
  const at = note.lastIndexOf('\n\n')
  if (note.length > MOST_NOTE || at < 0 || !note.endsWith('\n')) throw new FormatError('A note has no signatures')
  const text = note.slice(0, at + 1)
  const block = note.slice(at + 2)
  if (!block || !/^[\n -~]*$/.test(text)) throw new FormatError('A note is not printable ASCII, or unsigned')
  const lines = block.slice(0, -1).split('\n').map(splitLine)
  if (lines.length > MOST_SIGNATURES || new Set(lines.map(({ name, hash }) => `${name} ${hex(hash)}`)).size !== lines.length) {
    throw new FormatError('A note has too many signatures, or two by one key')
  }
  return { text, lines }
}

const splitLine = (line) => {
  const found = /^— ([^ ]+) ([^ ]+)$/.exec(line)
  if (!found) throw new FormatError('A signature line is malformed')
  checkName(found[1])
  const blob = fromBase64(found[2], 'A signature')
  if (blob.length < 5) throw new FormatError('A signature is too short')
  return { name: found[1], hash: blob.subarray(0, 4), blob: blob.subarray(4) }
}

export const parseCheckpoint = (text) => {
  const lines = text.split('\n')
  if (lines.length < 4 || lines.pop() !== '') throw new FormatError('A checkpoint has three lines')
  const [origin, size, root, ...extensions] = lines
  if (![origin, ...extensions].every((line) => line && line.trim() === line)) throw new FormatError('A checkpoint has an empty line')
  if (!/^(?:0|[1-9][0-9]{0,18})$/.test(size) || BigInt(size) >= 2n ** 63n) throw new FormatError('A checkpoint has no size')
  return { origin, size: BigInt(size), root: fromBase64(root, 'A root', 32) }
}

export const parseProof = (text) => {
  const at = text.indexOf('\n\n')
  const [header, index, ...path] = text.slice(0, Math.max(at, 0)).split('\n')
  const found = /^index (0|[1-9][0-9]{0,18})$/.exec(index ?? '')
  if (header !== 'c2sp.org/tlog-proof@v1' || !found || path.length > MOST_HASHES) throw new FormatError('A proof is malformed')
  return { index: BigInt(found[1]), path: path.map((line) => fromBase64(line, 'A hash', 32)), note: text.slice(at + 2) }
}

export class SignatureProblem extends Error {
  constructor (code, name) {
    super(name)
    this.code = code
  }
}

// Who signed: keys of the log, and witnesses with their times. `known` has the reader's keys before the package's own:
// of several with the same name and hash the reader's counts, since 4 bytes of hash are quickly forged.
export const signers = ({ text, lines }, known, witnessed) => {
  const found = { logs: [], witnesses: [] }
  for (const { name, hash, blob } of lines) {
    const named = (keys) => keys.find((key) => key.name === name && equal(key.hash, hash))
    const log = named(known.logs)
    const witness = witnessed ? named(known.witnesses) : undefined
    if (log) {
      if (!signatureIsGood(log.key, blob, utf8(text))) throw new SignatureProblem('signature', name)
      found.logs.push(log)
    } else if (witness) {
      found.witnesses.push({ witness, time: witnessedAt(witness, blob, text) })
    } else {
      throw new SignatureProblem('signature-unknown', name)
    }
  }
  return found
}

const witnessedAt = (witness, blob, text) => {
  const time = blob.length === 72 ? new DataView(blob.buffer, blob.byteOffset).getBigUint64(0) : 2n ** 63n
  if (time >= 2n ** 63n || !signatureIsGood(witness.key, blob.subarray(8), utf8(`cosignature/v1\ntime ${time}\n${text}`))) {
    throw new SignatureProblem('signature', witness.name)
  }
  return Number(time)
}
