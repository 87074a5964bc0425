// The six steps of docs/protocols/package.md, as bluelamp.verify.package takes them; the words are words.json's.

import words from '../../src/bluelamp/verify/words.json'

import { FormatError } from './bytes.js'
import * as bag from './files.js'
import { prepareHashing, streamingSha256 } from './hashing.js'
import { leafHash, stands } from './leaf.js'
import { SignatureProblem, parseCheckpoint, parseLogKey, parseWitnessKey, signers, splitNote } from './notes.js'
import { ZipProblem, readEntries } from './zip.js'

export const GOOD = 0
export const TAMPERING = 1
export const CANNOT_TELL = 2
const VERDICTS = ['good', 'tampering', 'cannot-tell']
const SEAL_NOTE = 'seal.json: note'
const SEAL_CHECKPOINT = 'seal.json: checkpoint'
const CUSTODY_CHECKPOINT = 'custody.json: checkpoint'
const CLAIMS = ['id', 'made_at', 'force', 'exhibit', 'case', 'purpose', 'recipient']

// Large enough that asking for one costs little, small enough that an old computer holds three: one is hashed while
// the next are read.
const PIECE = 8 * 2 ** 20
const AHEAD = 2

// The check of one file (a Blob). Whoever gives a key after the first judgement need not wait for the hashing again.
export class PackageCheck {
  constructor (file) {
    this.file = file
    this.verification = null
  }

  // The report that `bluelamp verify --json` prints.
  async judge (keys, witnesses, progress = () => {}) {
    await prepareHashing()
    let known
    try {
      known = { logs: keys.map(trimmed).map(parseLogKey), witnesses: witnesses.map(trimmed).map(parseWitnessKey) }
    } catch (error) {
      if (!(error instanceof FormatError)) throw error
      return { ...newReport(), problems: [problem(0, 'key-malformed', '', error.message)] }
    }
    try {
      if (!this.verification?.proven) this.verification = new Verification(this.file)
      return await this.verification.run(known, progress)
    } catch (error) {
      this.verification = null
      // A disk that was taken out, or a file that changed while it was read.
      if (!(error instanceof DOMException || error instanceof ShortRead)) throw error
      return { ...newReport(), problems: [problem(0, 'unreadable', '', error.message)] }
    }
  }
}

class ShortRead extends Error {}

const trimmed = (key) => key.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '')

const newReport = () => ({
  format: 'bluelamp-verification-1',
  exit_code: CANNOT_TELL,
  verdict: VERDICTS[CANNOT_TELL],
  steps: words.steps.map(({ title }, number) => ({ step: number + 1, title, status: 'not-run' })),
  problems: [],
  claims: {},
  files: 0,
  size: 0,
  events: 0,
  keys: [],
  trusted: [],
  cosignatures: [],
  timestamp: null
})

const problem = (step, code, where = '', detail = '') =>
  ({ step, code, where, text: words.problems[code].text.replaceAll('{where}', () => where), detail })

class Verification {
  constructor (file) {
    this.file = file
    this.read = async (offset, length) => new Uint8Array(await file.slice(offset, offset + length).arrayBuffer())
    this.entries = new Map()
    this.hashes = new Map()
    this.report = newReport()
    this.proven = false
  }

  async run (known, progress) {
    this.progress = progress
    this.proven ||= await this.prove()
    const report = structuredClone(this.report)
    const exitCode = this.proven ? this.checkTrust(report, known) : TAMPERING
    return Object.assign(report, { exit_code: exitCode, verdict: VERDICTS[exitCode] })
  }

  // Steps 1 to 5, which need no key. Whether all were good.
  async prove () {
    const steps = [this.readZip, this.checkHashes, this.checkSeal, this.checkStatements, this.checkEvents]
    for (const [number, step] of steps.entries()) {
      const found = new Map()
      await step.call(this, (code, where = '', detail = '') => found.set(`${code} ${where}`, problem(number + 1, code, where, detail)))
      const ordered = [...found].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, value]) => value)
      this.report.problems = this.report.problems.concat(ordered)
      this.report.steps[number].status = found.size ? 'bad' : 'good'
      if (found.size) return false
    }
    return true
  }

  // Step 1: the ZIP file

  async readZip (add) {
    try {
      for (const entry of await readEntries(this.read, this.file.size)) {
        this.entries.set(entry.path, entry)
        this.report.size += entry.size
      }
      this.report.files = this.entries.size
    } catch (error) {
      if (!(error instanceof ZipProblem)) throw error
      add(error.code, error.where, error.message)
    }
  }

  // Step 2: manifests and hashes

  async checkHashes (add) {
    await this.hashAll()
    const apart = [bag.TAG_MANIFEST, bag.SEAL]
    const missing = new Set([...bag.TAG_FILES, ...bag.PAPERS, ...apart].filter((path) => !this.entries.has(path)))
    const payload = new Set([...this.entries.keys()].filter((path) => path.startsWith(bag.DATA)))
    const tags = new Set([...this.entries.keys()].filter((path) => !payload.has(path) && !apart.includes(path)))
    for (const [manifest, present] of [[bag.MANIFEST, payload], [bag.TAG_MANIFEST, tags]]) {
      if (missing.has(manifest)) continue
      const hashes = await attempt(add, 'manifest', manifest, async () => bag.readManifest(await this.content(manifest, bag.MOST_MANIFEST_BYTES)))
      if (!hashes) continue
      for (const path of new Set([...present, ...hashes.keys()])) {
        const known = path.startsWith(bag.DATA) || bag.TAG_FILES.includes(path)
        if (!this.entries.has(path)) missing.add(path)
        else if (present.has(path) !== hashes.has(path) || !known) add('file-unlisted', path)
        else if (this.hashes.get(path) !== hashes.get(path)) add('file-changed', path)
      }
    }
    for (const path of missing) add('file-missing', path)
  }

  async hashAll () {
    const pieces = []
    for (const { path, offset, size } of this.entries.values()) {
      for (let at = 0; at < size || at === 0; at += PIECE) {
        pieces.push({ path, offset: offset + at, length: Math.min(PIECE, size - at), last: at + PIECE >= size })
      }
    }
    const reading = []
    const readAhead = () => {
      const number = reading.length
      if (number === pieces.length) return
      reading.push(this.read(pieces[number].offset, pieces[number].length))
      // Awaited turns later: until then nobody listens, and a browser would report a failure as unhandled.
      reading[number].catch(() => {})
    }
    for (let number = 0; number < AHEAD; number += 1) readAhead()
    const hasher = await streamingSha256()
    let done = 0
    for (const [number, piece] of pieces.entries()) {
      const bytes = await reading[number]
      reading[number] = null
      readAhead()
      if (bytes.length !== piece.length) throw new ShortRead('The file became shorter while it was read.')
      hasher.update(bytes)
      done += bytes.length
      if (piece.last) {
        this.hashes.set(piece.path, hasher.digest())
        hasher.init()
      }
      this.progress(done, this.report.size)
    }
  }

  // Step 3: the seal

  async checkSeal (add) {
    const bytes = await this.content(bag.SEAL, bag.MOST_SEAL_BYTES)
    const read = await attempt(add, 'seal', bag.SEAL, () => {
      const seal = bag.parseSeal(bytes)
      const note = splitNote(seal.note)
      const proofNote = splitNote(seal.proof.note)
      return { seal, note, said: bag.parseSealNote(note.text), proofNote, checkpoint: parseCheckpoint(proofNote.text) }
    })
    if (!read) return
    this.sealed = read
    const { seal, said, checkpoint } = read
    if (said.hash !== this.hashes.get(bag.TAG_MANIFEST)) add('seal-note', bag.SEAL)
    const wanted = { tag: 'package.sealed', subject: `package:${said.package}`, 'detail.tag_manifest_sha256': said.hash }
    if (Object.entries(wanted).some(([name, value]) => seal.event.fields.get(name) !== value)) add('seal-event', bag.SEAL)
    if (!inTree(seal.proof, seal.event, checkpoint)) add('seal-proof', bag.SEAL)
  }

  // Step 4: package.json, custody.json, bag-info.txt

  async checkStatements (add) {
    if (!bag.same(await this.content(bag.BAGIT, bag.BAGIT_TEXT.length), bag.BAGIT_TEXT)) add('statement', bag.BAGIT)
    const infoBytes = await this.content(bag.PACKAGE, bag.MOST_INFO_BYTES)
    const custodyBytes = await this.content(bag.CUSTODY, bag.MOST_CUSTODY_BYTES)
    const info = await attempt(add, 'statement', bag.PACKAGE, () => bag.parseInfo(infoBytes))
    const custody = await attempt(add, 'statement', bag.CUSTODY, () => bag.parseCustody(custodyBytes))
    if (!info || !custody) return
    this.custody = custody
    this.report.claims = Object.fromEntries(CLAIMS.map((name) => [name, info[name]]))
    this.report.events = custody.events.length
    this.report.keys = custody.keys.map((key) => key.text)
    if (custody.timestamp) this.report.timestamp = { status: 'not-checked', size: Number(custody.timestamp.size) }
    if (info.id !== this.sealed.said.package) add('package-id', bag.PACKAGE)
    await this.checkMedia(add, info, custody)
  }

  async checkMedia (add, info, custody) {
    const payload = new Map([...this.entries.values()].filter(({ path }) => path.startsWith(bag.DATA)).map(({ path, size }) => [path, size]))
    const expected = bag.bagInfo(info, [...payload.values()])
    if (!bag.same(await this.content(bag.BAG_INFO, new TextEncoder().encode(expected).length), expected)) add('statement', bag.BAG_INFO)
    const collected = new Set(custody.events.map(({ event }) => collection(event.fields)))
    for (const { file, recording, sha256, size, kind } of info.media) {
      if (payload.get(file) !== size || this.hashes.get(file) !== sha256) add('medium', file)
      else if (kind === 'original' && !collected.has(`recording:${recording} ${sha256}`)) add('collection', file)
    }
    const named = new Set([...info.media.map(({ file }) => file), ...bag.PAPERS])
    for (const path of payload.keys()) if (!named.has(path)) add('medium', path)
  }

  // Step 5: the events in the tree

  async checkEvents (add) {
    const read = await attempt(add, 'checkpoint', CUSTODY_CHECKPOINT, () => {
      const note = splitNote(this.custody.checkpoint)
      return { note, checkpoint: parseCheckpoint(note.text) }
    })
    if (!read) return
    this.custodyNote = read
    const { checkpoint } = read
    const sealed = this.sealed.checkpoint
    if (checkpoint.size === sealed.size && String(checkpoint.root) !== String(sealed.root)) add('fork', CUSTODY_CHECKPOINT)
    for (const proven of this.custody.events) {
      if (!inTree(proven, proven.event, checkpoint)) add('event', String(proven.index))
    }
  }

  // Step 6: signatures

  checkTrust (report, known) {
    const notes = [
      [SEAL_NOTE, this.sealed.note, null],
      [SEAL_CHECKPOINT, this.sealed.proofNote, this.sealed.checkpoint],
      [CUSTODY_CHECKPOINT, this.custodyNote.note, this.custodyNote.checkpoint]
    ]
    const keys = {
      logs: [...known.logs, ...this.custody.keys],
      witnesses: [...known.witnesses, ...this.custody.witnesses]
    }
    const found = new Map()
    const problems = []
    for (const [where, note, checkpoint] of notes) {
      try {
        const by = signers(note, keys, checkpoint !== null)
        found.set(where, by)
        // A checkpoint is the log's own only under the log's name (C2SP tlog-checkpoint).
        const { origin } = checkpoint ?? this.sealed.checkpoint
        if (!by.logs.length || by.logs.some((key) => key.name !== origin)) problems.push(problem(6, 'unsigned', where))
      } catch (error) {
        if (!(error instanceof SignatureProblem)) throw error
        problems.push(problem(6, error.code, where, error.message))
      }
    }
    const end = (status, exitCode, found) => {
      report.steps[5].status = status
      report.problems.push(...found)
      return exitCode
    }
    if (problems.length) return end('bad', TAMPERING, problems)
    report.cosignatures = cosignatures(found, known)
    const trusted = new Set(known.logs.map((key) => key.text))
    const signed = new Set([...found.values()].flatMap((by) => by.logs.map((key) => key.text)))
    report.trusted = [...trusted].filter((key) => signed.has(key))
    const others = [...found].filter(([, by]) => !by.logs.some((key) => trusted.has(key.text))).map(([where]) => where)
    if (!others.length) return end('good', GOOD, [])
    if (!trusted.size) return end('cannot-tell', CANNOT_TELL, [problem(6, 'no-key')])
    if (others.length === notes.length) return end('cannot-tell', CANNOT_TELL, [problem(6, 'key-unknown')])
    return end('cannot-tell', CANNOT_TELL, others.map((where) => problem(6, 'key-other', where)))
  }

  // At most one byte more than `most`: enough to refuse what is too long.
  content (path, most) {
    const { offset, size } = this.entries.get(path)
    return this.read(offset, Math.min(size, most + 1))
  }
}

const cosignatures = (found, known) => {
  const trusted = new Set(known.witnesses.map((key) => key.text))
  return [...found].flatMap(([where, by]) =>
    by.witnesses.map(({ witness, time }) => ({ where, witness: witness.name, time, trusted: trusted.has(witness.text) })))
}

const attempt = async (add, code, where, action) => {
  try {
    return await action()
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    add(code, where, error.message)
    return null
  }
}

const inTree = ({ index, path }, event, checkpoint) => stands(leafHash(event.entry), index, checkpoint.size, path, checkpoint.root)

const collection = (fields) => {
  const [tag, subject, sha256] = ['tag', 'subject', 'detail.sha256'].map((name) => fields.get(name))
  return tag === 'recording.collected' && typeof subject === 'string' && typeof sha256 === 'string' ? `${subject} ${sha256}` : null
}
