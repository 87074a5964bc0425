// The JSON of packages (docs/protocols/package.md), which has one spelling: this reads that and nothing else.
// Objects become Maps: their members keep their order, and no name means anything to JavaScript.

import { FormatError, fromUtf8 } from './bytes.js'

const MOST_LEVELS = 64
const SHORT = { '"': '"', '\\': '\\', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }

export const readJson = (bytes, what, most) => {
  if (bytes.length > most) throw new FormatError(`${what} is too large`)
  return new Reader(fromUtf8(bytes, what), what).document()
}

class Reader {
  constructor (text, what) {
    this.text = text
    this.what = what
    this.at = 0
  }

  document () {
    const value = this.value(0)
    this.expect('\n')
    if (this.at !== this.text.length) this.fail()
    return value
  }

  value (level) {
    const char = this.text[this.at]
    if (char === '"') return this.string()
    if (char === '{' || char === '[') {
      if (level >= MOST_LEVELS) this.fail()
      return char === '{' ? this.object(level + 1) : this.array(level + 1)
    }
    for (const [word, value] of [['null', null], ['true', true], ['false', false]]) {
      if (this.text.startsWith(word, this.at)) {
        this.at += word.length
        return value
      }
    }
    return this.integer()
  }

  object (level) {
    const found = new Map()
    this.list('}', () => {
      const name = this.string()
      this.expect(':')
      if (found.has(name)) this.fail()
      found.set(name, this.value(level))
    })
    return found
  }

  array (level) {
    const found = []
    this.list(']', () => found.push(this.value(level)))
    return found
  }

  list (end, member) {
    this.at += 1
    if (this.text[this.at] === end) {
      this.at += 1
      return
    }
    for (;;) {
      member()
      if (this.text[this.at] === end) break
      this.expect(',')
    }
    this.at += 1
  }

  string () {
    this.expect('"')
    let found = ''
    for (;;) {
      const plain = /[^"\\\u0000-\u001f]*/y
      plain.lastIndex = this.at
      found += plain.exec(this.text)[0]
      this.at = plain.lastIndex
      if (this.text[this.at] === '"') break
      found += this.escape()
    }
    this.at += 1
    return found
  }

  escape () {
    this.expect('\\')
    const short = SHORT[this.text[this.at]]
    if (short !== undefined) {
      this.at += 1
      return short
    }
    // Only control characters without a short escape are written so.
    const long = /u(00[01][0-9a-f])/y
    long.lastIndex = this.at
    const char = String.fromCharCode(parseInt(long.exec(this.text)?.[1] ?? '41', 16))
    if (char > '\u001f' || /[\b\f\n\r\t]/.test(char)) this.fail()
    this.at += 5
    return char
  }

  integer () {
    const digits = /-?(?:0|[1-9][0-9]{0,15})(?![0-9.eE])/y
    digits.lastIndex = this.at
    const found = digits.exec(this.text)?.[0]
    const value = Number(found)
    if (found === undefined || found === '-0' || !Number.isSafeInteger(value)) this.fail()
    this.at += found.length
    return value
  }

  expect (char) {
    if (this.text[this.at] !== char) this.fail()
    this.at += 1
  }

  fail () {
    throw new FormatError(`${this.what} is not written as the JSON of packages is (character ${this.at})`)
  }
}
