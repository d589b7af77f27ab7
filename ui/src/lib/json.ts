import { pieces } from './deceptive'

/**
 * JSON for people to read, without ever parsing it: numbers keep their text, keys keep their
 * order, nothing is merged or dropped. What is shown is what was hashed and will be sent.
 */
export type TokenKind = 'key' | 'string' | 'number' | 'literal' | 'punctuation'
export type Token = { kind: TokenKind; text: string }
/** One line of the indented form. `path` names the value that the line begins or holds. */
export type Line = { depth: number; path: string; tokens: Token[]; leaf: string | null }

type Raw = { kind: 'string' | 'number' | 'literal' | 'punctuation'; text: string }

// A string holds no control character: one that does is no JSON.
// oxlint-disable-next-line no-control-regex
const LEXEME = /[ \t\n\r]*(?:("(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)|(true|false|null)|([{}[\],:]))/y

function lex(source: string): Raw[] | null {
  const found: Raw[] = []
  LEXEME.lastIndex = 0
  let end = 0
  while (end < source.length) {
    const match = LEXEME.exec(source)
    if (!match) return source.slice(end).trim() === '' ? found : null
    end = LEXEME.lastIndex
    const [, string, number, literal, punctuation] = match
    if (string !== undefined) found.push({ kind: 'string', text: string })
    else if (number !== undefined) found.push({ kind: 'number', text: number })
    else if (literal !== undefined) found.push({ kind: 'literal', text: literal })
    else found.push({ kind: 'punctuation', text: punctuation ?? '' })
  }
  return found
}

const ESCAPES: Record<string, string> = {
  '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t',
}

/** What a JSON string says, from its text with the quotes. */
export function unquote(text: string): string {
  return text
    .slice(1, -1)
    .replace(/\\(?:u([0-9a-fA-F]{4})|(.))/g, (_, code: string | undefined, short: string | undefined) =>
      code ? String.fromCharCode(Number.parseInt(code, 16)) : (ESCAPES[short ?? ''] ?? ''),
    )
}

/** A text as it stands between quotes: what could end it, or pass for an escape, is escaped. */
export const requoted = (text: string) => text.replace(/["\\]/g, '\\$&')

/** The indented lines of a JSON text, or nothing when it is no JSON. */
export function lines(source: string): Line[] | null {
  const raw = lex(source)
  if (!raw || raw.length === 0) return null
  const layout = new Layout(raw)
  return layout.run() ? layout.lines : null
}

class Layout {
  readonly lines: Line[] = []
  private at = 0

  constructor(private readonly raw: Raw[]) {}

  run(): boolean {
    return this.value('', 0, []) && this.at === this.raw.length
  }

  private peek(text: string): boolean {
    const next = this.raw[this.at]
    return next?.kind === 'punctuation' && next.text === text
  }

  private take(text: string): boolean {
    if (!this.peek(text)) return false
    this.at += 1
    return true
  }

  private put(depth: number, path: string, tokens: Token[], leaf: string | null = null) {
    this.lines.push({ depth, path, tokens, leaf })
  }

  private comma() {
    this.lines.at(-1)?.tokens.push({ kind: 'punctuation', text: ',' })
  }

  private value(path: string, depth: number, before: Token[]): boolean {
    const next = this.raw[this.at]
    if (!next || depth > 200) return false
    if (this.peek('{')) return this.container(path, depth, before, '{', '}')
    if (this.peek('[')) return this.container(path, depth, before, '[', ']')
    if (next.kind === 'punctuation') return false
    this.at += 1
    this.put(depth, path, [...before, { kind: next.kind, text: next.text }], next.text)
    return true
  }

  private container(path: string, depth: number, before: Token[], open: string, close: string): boolean {
    this.take(open)
    if (this.take(close)) {
      this.put(depth, path, [...before, { kind: 'punctuation', text: open + close }], open + close)
      return true
    }
    this.put(depth, path, [...before, { kind: 'punctuation', text: open }])
    for (let index = 0; ; index += 1) {
      if (index > 0) this.comma()
      if (!(open === '{' ? this.member(path, depth + 1) : this.value(`${path}/${index}`, depth + 1, []))) return false
      if (this.take(close)) break
      if (!this.take(',')) return false
    }
    this.put(depth, path, [{ kind: 'punctuation', text: close }])
    return true
  }

  private member(path: string, depth: number): boolean {
    const key = this.raw[this.at]
    if (key?.kind !== 'string') return false
    this.at += 1
    if (!this.take(':')) return false
    const here = `${path}/${unquote(key.text).replaceAll('~', '~0').replaceAll('/', '~1')}`
    return this.value(here, depth, [
      { kind: 'key', text: key.text },
      { kind: 'punctuation', text: ': ' },
    ])
  }
}

export type Difference = {
  /** By path: what the line was before, or nothing when it is new. */
  changed: Map<string, string | null>
  /** What was there before and is gone. */
  gone: { path: string; was: string }[]
}

/** What changed from one JSON text to another, value by value. */
export function difference(before: string, now: string): Difference | null {
  const [old, fresh] = [lines(before), lines(now)]
  if (!old || !fresh) return null
  const leaves = (all: Line[]) =>
    new Map(all.flatMap((line) => (line.leaf === null ? [] : [[line.path, line.leaf] as const])))
  const [was, is] = [leaves(old), leaves(fresh)]
  const changed = new Map<string, string | null>()
  for (const [path, leaf] of is) if (was.get(path) !== leaf) changed.set(path, was.get(path) ?? null)
  const gone = [...was].filter(([path]) => !is.has(path)).map(([path, leaf]) => ({ path, was: leaf }))
  return { changed, gone }
}

/** A JSON text to be edited: indented, with everything that could hide in it written as an escape. */
export function editable(source: string): string {
  const indented = lines(source)?.map(({ depth, tokens }) => '  '.repeat(depth) + tokens.map((token) => token.text).join(''))
  return (indented ?? [source]).map((line) => pieces(line).map((piece) => (piece.kind === 'text' ? piece.text : escaped(piece.codePoint))).join('')).join('\n')
}

const escaped = (codePoint: number) =>
  [...String.fromCodePoint(codePoint)].flatMap((character) => character.split('')).map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')

/** A JSON value that one line holds at the top, member by member: for a short summary. */
export const memberCount = (source: string): number =>
  lines(source)?.filter((line) => line.depth === 1 && line.tokens[0]?.kind === 'key').length ?? 0
