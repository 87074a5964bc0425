// Bytes as text and back, each with one spelling only.

export class FormatError extends Error {}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()

export const utf8 = (text) => encoder.encode(text)

export const fromUtf8 = (bytes, what) => {
  try {
    return decoder.decode(bytes)
  } catch {
    throw new FormatError(`${what} is not UTF-8`)
  }
}

export const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

export const fromHex = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16))

// An array, since a list of an event may have more items than a function may have arguments.
export const concat = (parts) => {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

export const equal = (one, other) => one.length === other.length && one.every((byte, at) => byte === other[at])

// By their bytes, as Python sorts byte strings: not by UTF-16 units, as JavaScript sorts texts.
export const compare = (one, other) => {
  const size = Math.min(one.length, other.length)
  for (let at = 0; at < size; at += 1) {
    if (one[at] !== other[at]) return one[at] - other[at]
  }
  return one.length - other.length
}

const base64 = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))

// `size` is the number of bytes that it must be, where that is known.
export const fromBase64 = (text, what, size = null) => {
  let raw
  try {
    raw = atob(text)
  } catch {
    throw new FormatError(`${what} is not base64`)
  }
  const bytes = Uint8Array.from(raw, (char) => char.charCodeAt(0))
  // Unused trailing bits and white space allow several spellings of the same bytes.
  if (base64(bytes) !== text || (size !== null && bytes.length !== size)) throw new FormatError(`${what} has another spelling`)
  return bytes
}
